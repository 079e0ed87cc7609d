/** @jsx h */
/** @jsxFrag Fragment */
/** Name, state, facts and buttons. */
import { Fragment, h } from 'preact';
import type { ComponentChildren, VNode } from 'preact';
import * as format from '../../common/format';
import * as icons from '../../common/icons';
import { Button } from '../../common/parts/button';
import { Copy } from '../../common/parts/copy';
import { More } from '../../common/parts/menu';
import { Spark } from '../../common/parts/spark';
import { Facts, StateChip } from '../../common/parts/state';
import type { MenuItem } from '../../common/parts/menu';
import type { Tone } from '../../common/parts/state';
import { act, c, t, times } from './shared';
import type { Inner } from './shared';
import { ended } from './state';
import type { Action_, JobView, MonitorState } from './state';

const TONES: Record<JobView['state'], Tone> = {
  queued: 'run',
  preparing: 'run',
  running: 'run',
  stopping: 'run',
  succeeded: 'ok',
  failed: 'err',
  cancelled: 'idle',
  lost: 'warn'
};

function Chip({ job }: { job: JobView }): VNode {
  if (job.paused && job.state === 'running') return <StateChip tone="warn">{t('paused')}</StateChip>;
  const serving = job.kind === 'deploy' && job.state === 'running';
  return <StateChip tone={serving ? 'ok' : TONES[job.state]}>{serving ? t('serving') : t(job.state)}</StateChip>;
}

function facts(job: JobView): ComponentChildren[] {
  const { data } = job;
  return [
    job.base && (job.method ? `${job.base} → ${job.method}` : job.base),
    data && `${data.name}, ${t('rows', { rows: format.integer(data.rows) })}`,
    job.device
  ];
}

function endFacts({ job, data }: { job: JobView; data: MonitorState['data'] }): ComponentChildren[] {
  const evals = data.eval.y;
  const best = data.bestEval;
  const took = job.started_at && job.ended_at ? format.elapsed(job.ended_at - job.started_at, times) : '';
  const steps = format.integer(job.step ?? data.lastStep);
  return [
    job.state === 'succeeded'
      ? took && t('inTime', { steps, time: took })
      : job.step !== null && t('stoppedAt', { step: steps, steps: format.integer(job.max_steps) }),
    evals.length > 0 && (
      <>
        {evals.length > 1 ? t('evalLossFrom', { first: format.loss(evals.at(0)), last: '' }) : t('evalLoss', { last: '' })}
        <b class="wb-b">{format.loss(evals.last())}</b>
        {best && evals.length > 1 && `, ${t('bestFact', { step: format.integer(best.step) })}`}
      </>
    ),
    job.state !== 'succeeded' && job.checkpoint !== null && t('checkpointSafe', { step: format.integer(job.checkpoint) })
  ];
}

function Buttons(props: Inner): VNode {
  const { job, state, dispatch } = props;
  const can = (action: Action_): boolean => job.actions.includes(action);
  const off = state.busy !== null;
  const menu: MenuItem[] = [];
  if (can('save')) menu.push({ title: t('saveNow'), icon: icons.save, run: () => act(props, 'save') });
  if ((can('stop') && job.kind !== 'deploy') || (can('cancel') && job.state === 'stopping')) menu.push({ title: t('stopNow'), icon: icons.x, run: () => dispatch({ type: 'ask', on: true }) });
  menu.push({ title: t('copyId'), icon: icons.copy, run: () => void navigator.clipboard.writeText(job.id) });
  return (
    <>
      {can('continue') && job.state !== 'failed' && (
        <Button class="main" icon={icons.play} disabled={off} onClick={() => act(props, 'continue')}>
          {t('continueFrom', { step: format.integer(job.checkpoint) })}
        </Button>
      )}
      {can('again') && job.state !== 'failed' && (
        <Button icon={icons.retry} disabled={off} onClick={() => act(props, 'again')}>
          {t('tryAgain')}
        </Button>
      )}
      {can('stop') && (
        <Button icon={icons.stop} disabled={off} onClick={() => act(props, 'stop')}>
          {job.kind === 'deploy' ? t('stopServing') : t('stopAndSave')}
        </Button>
      )}
      {can('pause') && (
        <Button icon={icons.pause} disabled={off} onClick={() => act(props, 'pause')}>
          {t('pause')}
        </Button>
      )}
      {can('unpause') && (
        <Button class="main" icon={icons.play} disabled={off} onClick={() => act(props, 'unpause')}>
          {t('resume')}
        </Button>
      )}
      {can('cancel') && job.state !== 'stopping' && (
        <Button disabled={off} onClick={() => act(props, 'cancel')}>
          {c('cancel')}
        </Button>
      )}
      <More items={menu} label={c('more')} />
    </>
  );
}

export function Head(props: Inner): VNode {
  const { job, state } = props;
  const finished = job.state === 'succeeded';
  const over = ended(job.state);
  const title = (
    <div>
      <div class="wb-row">
        <span class="wb-title wb-cut">{job.name}</span>
        <Chip job={job} />
      </div>
      <Facts items={over ? [...(finished ? [] : facts(job).slice(0, 1)), ...endFacts({ job, data: state.data })] : facts(job)} />
    </div>
  );
  if (!over || !finished) {
    return (
      <header class="head" style={over ? { paddingBottom: 12 } : undefined}>
        {title}
        <Buttons {...props} />
      </header>
    );
  }
  const folded = state.tab !== 'loss' && state.data.train.y.length > 1;
  return (
    <header class="compact">
      {title}
      {folded && <Spark values={state.data.smooth.out.view()} height={32} />}
      <div class="act">
        {job.code && (
          <Copy class="" text={job.code} label={t('copyCode')} done={c('copied')}>
            {t('copyCode')}
          </Copy>
        )}
        <Buttons {...props} />
      </div>
    </header>
  );
}
