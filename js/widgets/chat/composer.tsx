/** @jsx h */
/** Where the next question is written, and the scroll above it. */
import { h } from 'preact';
import type { ComponentChildren, VNode } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import * as icons from '../../common/icons';
import { Button, Glyph } from '../../common/parts/button';
import { c, call, t } from './shared';
import type { Props } from './shared';
import { busy } from './state';
import type { ChatState } from './state';

export function Composer(props: Props): VNode {
  const { state, dispatch } = props;
  const working = busy(state);
  const field = useRef<HTMLTextAreaElement>(null);
  const name = state.models[0]?.name ?? '';
  const send = (): void => {
    const text = (field.current?.value ?? state.draft).trim(); // what stands there now: a quick Enter comes before the next drawing
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
          <button type="button" class="send" aria-label={t('send')} title={t('send')} disabled={!state.draft.trim()} onClick={send}>
            <Glyph icon={icons.send} />
          </button>
        )}
      </div>
    </div>
  );
}

/** The conversation's own scroll; it stays at the end while text comes, unless the reader has scrolled up. */
export function Scroll({ state, children }: { state: ChatState; children: ComponentChildren }): VNode {
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
