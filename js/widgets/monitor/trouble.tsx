/** @jsx h */
/** Notices, and why a job failed. */
import { h } from 'preact';
import type { VNode } from 'preact';
import * as format from '../../common/format';
import * as icons from '../../common/icons';
import { Button } from '../../common/parts/button';
import { Copy } from '../../common/parts/copy';
import { Log } from '../../common/parts/log';
import { Note, ProblemNote, Why } from '../../common/parts/notes';
import { act, c, t } from './shared';
import type { Inner } from './shared';
import { ended } from './state';

export function Notices(props: Inner): VNode | null {
  const { job, state, dispatch } = props;
  const best = state.data.bestEval;
  const id = best ? `best-${best.step}` : '';
  const advice = !ended(job.state) && best !== null && best.after >= 3 && !state.dismissed.has(id);
  const notices = job.notices.filter(n => !state.dismissed.has(String(n.id))).slice(-2);
  if (!advice && !notices.length && !state.problem) return null;
  return (
    <div class="alarm">
      {state.problem && <ProblemNote problem={state.problem} dismiss={c('dismiss')} onDismiss={() => dispatch({ type: 'done', problem: null })} />}
      {advice && (
        <Note
          level="warn"
          dismiss={c('dismiss')}
          onDismiss={() => dispatch({ type: 'dismiss', id })}
          action={
            job.actions.includes('stop') && (
              <Button class="s" onClick={() => act(props, 'stop')}>
                {t('stopAndSave')}
              </Button>
            )
          }
        >
          {t('notImproving', { count: best.after, loss: format.loss(best.value), step: format.integer(best.step) })}
        </Note>
      )}
      {notices.map(n => (
        <Note key={n.id} level={n.level === 'warning' ? 'warn' : 'info'} dismiss={c('dismiss')} onDismiss={() => dispatch({ type: 'dismiss', id: String(n.id) })}>
          {n.text}
        </Note>
      ))}
    </div>
  );
}

export function Failed(props: Inner): VNode | null {
  const { job, state } = props;
  if (job.state !== 'failed' && job.state !== 'lost') return null;
  const cause = job.failure?.cause ?? (job.state === 'lost' ? t('lostCause') : '');
  const fix = job.failure?.fix ?? (job.state === 'lost' && job.checkpoint !== null ? t('lostFix') : '');
  const tail = job.failure?.log_tail || state.log.split('\n').slice(-12).join('\n');
  return (
    <div class="fail" style={{ paddingTop: 0 }}>
      <Why cause={cause} fix={fix} words={{ cause: c('cause'), fix: c('fix') }} />
      {tail && <Log text={tail} label={t('log')} height={220} follow />}
      <div class="wb-row wb-wrap">
        {job.state === 'failed' && job.actions.includes('continue') && (
          <Button class="main" icon={icons.play} disabled={state.busy !== null} onClick={() => act(props, 'continue')}>
            {t('continueFrom', { step: format.integer(job.checkpoint) })}
          </Button>
        )}
        {job.state === 'failed' && job.actions.includes('again') && (
          <Button class="main" icon={icons.retry} disabled={state.busy !== null} onClick={() => act(props, 'again')}>
            {t('tryAgain')}
          </Button>
        )}
        {tail && (
          <Copy class="ghost quiet" text={tail} label={c('copyLog')} done={c('copied')}>
            {c('copyLog')}
          </Copy>
        )}
      </div>
    </div>
  );
}
