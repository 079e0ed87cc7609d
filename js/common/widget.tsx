/** @jsx h */
/**
 * Joins one widget's reducer and view to anywidget. The state lives with the model, not with a view: messages that
 * come before the first view or after the last one are kept, and a second view shows the same.
 *
 *   kernel → page   {kind: 'update', …} with buffers, at most 20 a second; what it holds is the widget's own affair
 *   page → kernel   questions (see rpc.ts); `hello` at the start fetches what was missed
 */
import { h, render as draw } from 'preact';
import type { ComponentType } from 'preact';
import core from './css/core.css';
import tokens from './tokens.css';
import { Rpc } from './rpc';
import { common, translator } from './messages';
import { Store } from './state';
import type { Reducer } from './state';

/** The part of anywidget's model that is used here. */
export interface Model {
  get(name: string): unknown;
  send(content: unknown): void;
  on(event: string, handler: (...args: never[]) => void): void;
  off(event: string, handler: (...args: never[]) => void): void;
}

export interface ViewProps<S, A> {
  readonly state: S;
  readonly dispatch: (action: A) => void;
  readonly rpc: Rpc;
}

export interface Definition<S, A> {
  readonly name: string;
  readonly css: string;
  /** The state that the model came with; `packed` is what is too long for JSON. */
  readonly initial: (snapshot: Record<string, unknown>, packed: DataView | null) => S;
  readonly reduce: Reducer<S, A>;
  /** What a message from the kernel means; also given the answer to `hello`. */
  readonly receive: (message: Record<string, unknown>, buffers: readonly DataView[]) => A;
  /** What `hello` tells the kernel about what is already here. */
  readonly have?: (state: S) => Record<string, unknown>;
  /** After every change: side effects such as asking for what is missing. */
  readonly effects?: (state: S, rpc: Rpc, dispatch: (action: A) => void) => void;
  readonly View: ComponentType<ViewProps<S, A>>;
}

interface Module {
  initialize(props: { model: Model }): () => void;
  render(props: { model: Model; el: HTMLElement }): () => void;
}

const NAVIGATION = new Set(['ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight', 'Enter', 'Escape', ' ', 'Home', 'End', 'PageUp', 'PageDown']);

export function widget<S, A>(definition: Definition<S, A>): () => Module {
  return () => {
    let store: Store<S, A>;
    let rpc: Rpc;
    const roots = new Set<HTMLElement>();
    let keep = false; // the kernel waits for a moment in which the saved form may replace this output

    const keepIfAway = (): void => {
      if (!keep || [...roots].some(root => root.contains(document.activeElement))) return;
      keep = false;
      rpc.call('keep').catch(() => undefined);
    };

    return {
      initialize({ model }) {
        const t = translator(common);
        const send = (message: Record<string, unknown>): void => model.send(message);
        rpc = new Rpc(send, () => ({ what: t('noAnswer'), cause: t('noAnswerCause'), fix: '' }));
        const snapshot = (model.get('snapshot') ?? {}) as Record<string, unknown>;
        store = new Store<S, A>(definition.reduce, definition.initial(snapshot, (model.get('packed') as DataView | null) ?? null));
        const receive = (message: Record<string, unknown>, buffers: readonly DataView[] = []): void => {
          if (rpc.receive(message, buffers)) return;
          if (message['kind'] === 'stale') {
            keep = true;
            keepIfAway();
          } else store.dispatch(definition.receive(message, buffers));
        };
        model.on('msg:custom', receive);
        rpc
          .call<Record<string, unknown>>('hello', definition.have?.(store.state) ?? {})
          .then(({ result, buffers }) => store.dispatch(definition.receive(result, buffers)))
          .catch(() => undefined); // no kernel: what the model came with is shown
        const stop = definition.effects ? store.subscribe(() => definition.effects?.(store.state, rpc, store.dispatch)) : undefined;
        return () => {
          stop?.();
          rpc.close();
          model.off('msg:custom', receive);
        };
      },

      render({ el }) {
        const style = document.createElement('style');
        style.textContent = tokens + core + definition.css;
        const root = document.createElement('div');
        root.className = `wb wb-${definition.name}`;
        el.append(style, root);
        roots.add(root);
        // The notebook moves between cells with these keys; inside a widget they belong to the widget.
        const own = (event: KeyboardEvent): void => {
          if (NAVIGATION.has(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey && !(event.key === 'Enter' && event.shiftKey)) event.stopPropagation();
        };
        root.addEventListener('keydown', own);
        const away = (): void => void setTimeout(keepIfAway, 50);
        root.addEventListener('focusout', away);
        const { View } = definition;
        let frame = 0;
        const paint = (): void => {
          frame = 0;
          draw(<View state={store.state} dispatch={store.dispatch} rpc={rpc} />, root);
        };
        const unsubscribe = store.subscribe(() => {
          frame ||= requestAnimationFrame(paint);
        });
        paint();
        return () => {
          unsubscribe();
          cancelAnimationFrame(frame);
          roots.delete(root);
          draw(null, root);
          style.remove();
          root.remove();
        };
      }
    };
  };
}
