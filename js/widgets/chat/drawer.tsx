/** @jsx h */
/** The parameters that go with every question. An empty field leaves it to the model. */
import { h } from 'preact';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { translator } from '../../common/messages';
import { Button } from '../../common/parts/button';
import { Slider } from '../../common/parts/choices';
import { problemOf } from '../../common/rpc';
import type { ViewProps } from '../../common/widget';
import { DEFAULTS } from './state';
import type { ChatAction, ChatState, Parameters } from './state';
import { chat } from './words';

const t = translator(chat);
type Numeric = 'temperature' | 'top_p' | 'max_tokens' | 'seed';

interface FieldProps {
  name: Numeric;
  title: string;
  hint: string;
  value: number | null;
  whole?: boolean;
  range?: readonly [number, number];
  change: (values: Partial<Parameters>) => void;
}

function Field({ name, title, hint, value, whole = false, range, change }: FieldProps): VNode {
  const read = (text: string): void => {
    const number = Number(text.replace(/,/g, ''));
    const known = text.trim() !== '' && Number.isFinite(number);
    const bounded = range && known ? Math.min(range[1], Math.max(range[0], number)) : number;
    change({ [name]: known ? (whole ? Math.round(bounded) : bounded) : null });
  };
  return (
    <label class="par">
      <span>{title}</span>
      <input
        class="v"
        value={value === null ? '' : String(value)}
        placeholder={hint}
        inputMode="decimal"
        aria-label={title}
        onChange={event => read(event.currentTarget.value)}
      />
      {range && <Slider value={value ?? 1} min={range[0]} max={range[1]} step={0.05} label={title} onChange={number => change({ [name]: Number(number.toFixed(2)) })} />}
    </label>
  );
}

export function Drawer({ state, dispatch, rpc }: ViewProps<ChatState, ChatAction>): VNode {
  const { parameters } = state;
  const timer = useRef<ReturnType<typeof setTimeout>>();
  const change = (values: Partial<Parameters>): void => {
    dispatch({ type: 'parameters', values });
    clearTimeout(timer.current);
    const all = { ...parameters, ...values };
    timer.current = setTimeout(() => {
      rpc.call('parameters', { values: all }).catch((error: unknown) => dispatch({ type: 'problem', problem: problemOf(error) }));
    }, 150);
  };
  const box = useRef<HTMLElement>(null);
  useEffect(() => box.current?.querySelector('textarea')?.focus({ preventScroll: true }), []);
  return (
    <aside class="params" aria-label={t('parameters')} ref={box}>
      <h3 class="wb-row" style={{ height: 24 }}>
        {t('parameters')}
        <Button class="ghost s quiet wb-push" onClick={() => change(DEFAULTS)}>
          {t('reset')}
        </Button>
      </h3>
      <label class="par wide">
        <span>{t('systemPrompt')}</span>
        <span />
        <textarea value={parameters.system} placeholder={t('systemHint')} onInput={event => change({ system: event.currentTarget.value })} />
      </label>
      <Field name="temperature" title={t('temperature')} hint={t('modelDefault')} value={parameters.temperature} range={[0, 2]} change={change} />
      <Field name="top_p" title={t('topP')} hint={t('modelDefault')} value={parameters.top_p} range={[0, 1]} change={change} />
      <Field name="max_tokens" title={t('maxTokens')} hint={t('modelDefault')} value={parameters.max_tokens} whole change={change} />
      <Field name="seed" title={t('seed')} hint={t('random')} value={parameters.seed} whole change={change} />
    </aside>
  );
}
