/** @jsx h */
/** @jsxFrag Fragment */
/** The conversation, with one model or side by side. */
import { Fragment, h } from 'preact';
import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import * as icons from '../../common/icons';
import { Button } from '../../common/parts/button';
import { Copy } from '../../common/parts/copy';
import { Body, Who } from './answer';
import { c, call, MARKS, t } from './shared';
import type { Props } from './shared';
import type { Exchange } from './state';

function Editor({ exchange, props }: { exchange: Exchange; props: Props }): VNode {
  const [text, setText] = useState(exchange.text);
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => field.current?.focus(), []);
  const close = (): void => props.dispatch({ type: 'editing', id: null });
  const send = (): void => {
    if (!text.trim()) return;
    close();
    void call(props, 'edit', { id: exchange.id, text: text.trim() });
  };
  const key = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') close();
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      send();
    }
  };
  return (
    <div class="edit">
      <textarea ref={field} value={text} aria-label={t('question')} onInput={event => setText(event.currentTarget.value)} onKeyDown={key} />
      <div class="wb-row">
        <Button class="s" onClick={close}>
          {c('cancel')}
        </Button>
        <Button class="main s" onClick={send} disabled={!text.trim()}>
          {t('save')}
        </Button>
      </div>
    </div>
  );
}

function QuestionActions({ exchange, props }: { exchange: Exchange; props: Props }): VNode {
  return (
    <div class="acts">
      <Button class="ghost sq s" icon={icons.edit} label={t('edit')} onClick={() => props.dispatch({ type: 'editing', id: exchange.id })} />
      <Copy class="ghost sq s" text={exchange.text} label={t('copyQuestion')} done={c('copied')} />
    </div>
  );
}

export function Conversation(props: Props): VNode {
  const { state } = props;
  const model = state.models[0];
  return (
    <div class="log">
      {state.exchanges.map(exchange => (
        <Fragment key={exchange.id}>
          {state.editing === exchange.id ? (
            <Editor exchange={exchange} props={props} />
          ) : (
            <div class="user">
              <p>{exchange.text}</p>
              <QuestionActions exchange={exchange} props={props} />
            </div>
          )}
          {exchange.answers.map(answer => (
            <div class="turn" key={answer.run}>
              <Who model={model} answer={answer} />
              <Body answer={answer} exchange={exchange} props={props} />
            </div>
          ))}
        </Fragment>
      ))}
    </div>
  );
}

export function Comparison(props: Props): VNode {
  const { state } = props;
  return (
    <div>
      {state.exchanges.map(exchange => (
        <Fragment key={exchange.id}>
          <div class="ask turn-like">
            <span>{t('question')}</span>
            {state.editing === exchange.id ? <Editor exchange={exchange} props={props} /> : <p class="turn">{exchange.text}</p>}
            {state.editing !== exchange.id && (
              <span class="wb-push">
                <QuestionActions exchange={exchange} props={props} />
              </span>
            )}
          </div>
          <div class="cmp" style={{ '--n': exchange.answers.length }}>
            {exchange.answers.map(answer => (
              <div class="turn" key={answer.run}>
                <div class="who">
                  <span class={`mark ${answer.model ? 'b' : ''}`}>{MARKS[answer.model]}</span>
                  <Who model={state.models[answer.model]} answer={answer} />
                </div>
                <Body answer={answer} exchange={exchange} props={props} />
              </div>
            ))}
          </div>
        </Fragment>
      ))}
    </div>
  );
}

export function Empty(props: Props): VNode | null {
  const { models } = props.state;
  const down = models.findIndex(model => model.state !== 'running');
  const model = models[Math.max(0, down)];
  if (!model) return null;
  const starting = model.state === 'starting' || model.state === 'preparing' || model.state === 'queued';
  return (
    <div class="empty">
      <p class="wb-b">{down < 0 ? t('emptyTitle', { name: models.map(m => m.name).join(', ') }) : t('noModel', { name: model.name })}</p>
      <p class="wb-s wb-2">{down < 0 ? t('emptyHint') : starting ? t('starting') : t('noModelHint')}</p>
      {down >= 0 && model.can_start && (
        <div class="wb-row">
          <Button class="main" icon={icons.rocket} disabled={starting} onClick={() => void call(props, 'start', { model: down })}>
            {t('start', { name: model.name })}
          </Button>
        </div>
      )}
    </div>
  );
}
