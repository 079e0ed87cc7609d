/** @jsx h */
/** @jsxFrag Fragment */
/** One answer: its reasoning, its text, its numbers, or why there is none. */
import { Fragment, h } from 'preact';
import type { VNode } from 'preact';
import { useMemo } from 'preact/hooks';
import * as format from '../../common/format';
import * as icons from '../../common/icons';
import { inserter } from '../../common/insert';
import { Button, Glyph } from '../../common/parts/button';
import { Copy } from '../../common/parts/copy';
import { Log } from '../../common/parts/log';
import { Why } from '../../common/parts/notes';
import { Facts } from '../../common/parts/state';
import { Markdown } from './markdown';
import { c, call, t, times } from './shared';
import type { Props } from './shared';
import { active, busy } from './state';
import type { Answer, Exchange, ModelView } from './state';

function Failure({ answer, props, exchange }: { answer: Answer; props: Props; exchange: Exchange }): VNode | null {
  const { error } = answer;
  if (!error) return null;
  const [what, ...tail] = error.what.split('\n');
  const model = props.state.models[answer.model];
  const start = model?.can_start && model.state !== 'running' && model.state !== 'starting';
  return (
    <div class="bad" role="alert">
      <div class="what">
        <Glyph icon={icons.err} />
        <span>{what}</span>
      </div>
      <Why cause={error.cause} fix={error.fix} words={{ cause: c('cause'), fix: c('fix') }} />
      {tail.length > 0 && <Log text={tail.join('\n')} label="log" height={140} />}
      <div class="wb-row wb-wrap">
        {start && (
          <Button class="main s" icon={icons.rocket} onClick={() => void call(props, 'start', { model: answer.model })}>
            {t('start', { name: model.name })}
          </Button>
        )}
        <Button class="s" icon={icons.retry} onClick={() => void call(props, 'retry', { id: exchange.id, model: answer.model })}>
          {t('again')}
        </Button>
      </div>
    </div>
  );
}

function Thoughts({ answer, open, toggle }: { answer: Answer; open: boolean; toggle: () => void }): VNode | null {
  if (!answer.think) return null;
  const words = answer.think.trim().split(/\s+/).length;
  return (
    <>
      <button type="button" class="fold" aria-expanded={open} onClick={toggle}>
        <Glyph icon={icons.right} />
        {active(answer) && !answer.text ? t('reasoning') : t('reasoned', { words: format.integer(words) })}
      </button>
      {open && <div class="think">{answer.think.trim()}</div>}
    </>
  );
}

export function Body({ answer, exchange, props }: { answer: Answer; exchange: Exchange; props: Props }): VNode {
  const { state, dispatch } = props;
  const insert = inserter();
  const words = { copy: t('copy'), copied: c('copied'), newCell: t('newCell') };
  const writing = active(answer);
  const text = useMemo(
    () => (answer.text || writing ? <Markdown text={answer.text} words={words} insert={insert} caret={writing} /> : null),
    [answer.text, writing]
  );
  const facts = [
    answer.state === 'stopped' && t('stopped'),
    answer.first_token !== null && t('firstToken', { time: format.duration(answer.first_token, times) }),
    answer.speed !== null && t('speed', { speed: format.integer(answer.speed) }),
    answer.tokens !== null && answer.tokens > 0 && t('tokens', { tokens: format.integer(answer.tokens) }),
    answer.cut && t('cut')
  ];
  return (
    <>
      <Thoughts answer={answer} open={state.thoughts.has(answer.run)} toggle={() => dispatch({ type: 'thoughts', run: answer.run })} />
      {text}
      <Failure answer={answer} props={props} exchange={exchange} />
      {!writing && (
        <div class="foot">
          <Facts items={facts} />
          <div class="acts wb-push">
            <Button
              class="ghost sq s"
              icon={icons.retry}
              label={t('retry')}
              disabled={busy(state)}
              onClick={() => void call(props, 'retry', state.models.length > 1 ? { id: exchange.id, model: answer.model } : { id: exchange.id })}
            />
            <Copy class="ghost sq s" text={answer.text} label={t('copyAnswer')} done={c('copied')} />
          </div>
        </div>
      )}
    </>
  );
}

export function Who({ model, answer }: { model: ModelView | undefined; answer: Answer }): VNode {
  return (
    <div class="who">
      <b>{model?.name ?? ''}</b>
      {answer.state === 'waiting' && <span>{t('waiting')}</span>}
      {answer.state === 'writing' && <span>{t('writing')}</span>}
    </div>
  );
}
