/** @jsx h */
/** @jsxFrag Fragment */
/** The chat's card, drawn from its state. */
import { Fragment, h } from 'preact';
import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import * as format from '../../common/format';
import * as icons from '../../common/icons';
import { inserter } from '../../common/insert';
import { chat, common, timeWords, translator } from '../../common/messages';
import { Button, Confirm, Copy, Facts, Glyph, Log, ProblemNote, Why } from '../../common/parts';
import { problemOf } from '../../common/rpc';
import type { ViewProps } from '../../common/widget';
import { Drawer } from './drawer';
import { Markdown } from './markdown';
import { active, busy } from './state';
import type { Answer, ChatAction, ChatState, Exchange, ModelView } from './state';

const t = translator(chat);
const c = translator(common);
const times = timeWords();
type Props = ViewProps<ChatState, ChatAction>;
const MARKS = 'ABCDEFGH';

function call({ rpc, dispatch }: Props, method: string, params: Record<string, unknown> = {}): Promise<boolean> {
  return rpc.call(method, params).then(
    () => true,
    (error: unknown) => {
      dispatch({ type: 'problem', problem: problemOf(error) });
      return false;
    }
  );
}

function dot(model: ModelView): string {
  if (model.state === 'running') return 'ok';
  if (model.state === 'starting' || model.state === 'preparing' || model.state === 'queued') return 'run';
  return model.state === 'failed' || model.state === 'lost' ? 'err' : 'idle';
}

const Name = ({ model }: { model: ModelView }): VNode => (
  <span class="name">
    <i class={`wb-dot ${dot(model)}`} title={model.state} />
    <span class="wb-cut">{model.name}</span>
  </span>
);

function modelFacts(model: ModelView): ComponentChildren[] {
  return [
    model.state === 'starting' ? t('starting') : model.engine,
    model.context !== null && model.used > 0 && t('context', { used: format.integer(model.used), context: format.integer(model.context) })
  ];
}

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

function Body({ answer, exchange, props }: { answer: Answer; exchange: Exchange; props: Props }): VNode {
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

function Who({ model, answer }: { model: ModelView | undefined; answer: Answer }): VNode {
  return (
    <div class="who">
      <b>{model?.name ?? ''}</b>
      {answer.state === 'waiting' && <span>{t('waiting')}</span>}
      {answer.state === 'writing' && <span>{t('writing')}</span>}
    </div>
  );
}

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

function Conversation(props: Props): VNode {
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

function Comparison(props: Props): VNode {
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

function Empty(props: Props): VNode | null {
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

function Composer(props: Props): VNode {
  const { state, dispatch } = props;
  const working = busy(state);
  const text = state.draft.trim();
  const field = useRef<HTMLTextAreaElement>(null);
  const name = state.models[0]?.name ?? '';
  const send = (): void => {
    if (!text || working) return;
    dispatch({ type: 'draft', text: '' });
    void call(props, 'ask', { text }).then(sent => sent || dispatch({ type: 'draft', text }));
  };
  const key = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      send();
    }
  };
  useLayoutEffect(() => {
    const box = field.current;
    if (!box || CSS.supports('field-sizing', 'content')) return;
    box.style.height = 'auto';
    box.style.height = `${box.scrollHeight}px`;
  }, [state.draft]);
  return (
    <div class="comp">
      <textarea
        ref={field}
        rows={1}
        value={state.draft}
        aria-label={t('messageLabel')}
        placeholder={state.models.length > 1 ? t('messageAll') : t('message', { name })}
        onInput={event => dispatch({ type: 'draft', text: event.currentTarget.value })}
        onKeyDown={key}
      />
      <div class="row">
        <span class="wb-s wb-2 wb-push" style={{ marginRight: 8 }}>
          {working && t('escStops')}
        </span>
        {working ? (
          <button type="button" class="send stop" aria-label={c('stop')} title={c('stop')} onClick={() => void call(props, 'stop')}>
            <Glyph icon={icons.stop} />
          </button>
        ) : (
          <button type="button" class="send" aria-label={t('send')} title={t('send')} disabled={!text} onClick={send}>
            <Glyph icon={icons.send} />
          </button>
        )}
      </div>
    </div>
  );
}

/** The conversation's own scroll; it stays at the end while text comes, unless the reader has scrolled up. */
function Scroll({ state, children }: { state: ChatState; children: ComponentChildren }): VNode {
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const [away, setAway] = useState(false);
  const last = state.exchanges[state.exchanges.length - 1]?.id;
  const toEnd = (): void => {
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  };
  useLayoutEffect(() => {
    if (atEnd.current) toEnd();
  });
  useLayoutEffect(() => {
    atEnd.current = true;
    toEnd();
  }, [last]);
  const scrolled = (): void => {
    const { scrollTop, scrollHeight, clientHeight } = box.current as HTMLDivElement;
    atEnd.current = scrollHeight - scrollTop - clientHeight < 24;
    setAway(!atEnd.current);
  };
  return (
    <div class="under">
      <div class="scroll" ref={box} onScroll={scrolled} role="log" aria-live="polite" aria-label={t('log')} aria-busy={busy(state)} tabIndex={0}>
        {children}
      </div>
      {away && (
        <Button class="s jump" icon={icons.down} onClick={toEnd}>
          {t('latest')}
        </Button>
      )}
    </div>
  );
}

export function View(props: Props): VNode | null {
  const { state, dispatch } = props;
  const [model] = state.models;
  if (!model) return null;
  const many = state.models.length > 1;
  const names = state.models.map(m => m.name).join(', ');
  const key = (event: KeyboardEvent): void => {
    if (event.key === 'Escape' && busy(state)) void call(props, 'stop');
  };
  return (
    <section class="wb-card" aria-label={t('card', { name: names })} onKeyDown={key}>
      <header class="bar" style={many ? { paddingLeft: 16 } : undefined}>
        {many ? <span class="wb-title">{t('compare')}</span> : <Name model={model} />}
        {many ? (
          <>
            {state.models.map((one, i) => (
              <span class="wb-row" key={i} style={{ gap: 0, marginLeft: 8 }}>
                <span class={`mark ${i ? 'b' : ''}`}>{MARKS[i]}</span>
                <Name model={one} />
              </span>
            ))}
          </>
        ) : (
          <Facts items={modelFacts(model)} />
        )}
        <span class="wb-push" />
        <Button class="ghost sq quiet" icon={icons.tune} label={t('parameters')} pressed={state.drawer} onClick={() => dispatch({ type: 'drawer' })} />
        <Button
          class="ghost sq quiet"
          icon={icons.compose}
          label={t('clear')}
          disabled={!state.exchanges.length}
          onClick={() => dispatch({ type: 'ask', on: true })}
        />
      </header>
      <div class={`split ${state.drawer ? 'open' : ''}`}>
        <div style={{ minWidth: 0 }}>
          {state.asking && (
            <Confirm
              question={t('clearAsk')}
              lost={t('clearLost')}
              yes={t('clear')}
              no={c('cancel')}
              onYes={() => {
                dispatch({ type: 'ask', on: false });
                void call(props, 'clear');
              }}
              onNo={() => dispatch({ type: 'ask', on: false })}
            />
          )}
          <Scroll state={state}>
            {state.exchanges.length === 0 ? <Empty {...props} /> : many ? <Comparison {...props} /> : <Conversation {...props} />}
          </Scroll>
          {state.problem && (
            <div style={{ margin: '0 16px 12px' }}>
              <ProblemNote problem={state.problem} dismiss={c('dismiss')} onDismiss={() => dispatch({ type: 'problem', problem: null })} />
            </div>
          )}
          <div style={many && state.exchanges.length ? { borderTop: '1px solid var(--wb-line)', paddingTop: 16 } : undefined}>
            <Composer {...props} />
          </div>
        </div>
        {state.drawer && <Drawer {...props} />}
      </div>
    </section>
  );
}
