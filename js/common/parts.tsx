/** @jsx h */
/** @jsxFrag Fragment */
/** The shared parts every widget is made of: they draw what they are given and know of no widget. */
import { Fragment, h } from 'preact';
import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import * as icons from './icons';
import type { Problem } from './rpc';
import { thin } from './smooth';

/** An icon. */
export const Glyph = ({ icon }: { icon: icons.Icon }): VNode => (
  <svg class="wb-i" viewBox="0 0 16 16" aria-hidden="true">
    <path d={icon} />
  </svg>
);

export type Tone = 'ok' | 'run' | 'warn' | 'err' | 'idle';

export interface ButtonProps {
  children?: ComponentChildren;
  icon?: icons.Icon;
  label?: string;
  class?: string;
  disabled?: boolean;
  pressed?: boolean;
  expanded?: boolean;
  title?: string;
  onClick: () => void;
}

/** A button; without words it needs a `label` for those who cannot see the icon. */
export function Button({ children, icon, label, class: kind = '', disabled = false, pressed, expanded, title, onClick }: ButtonProps): VNode {
  return (
    <button
      type="button"
      class={`wb-btn ${kind}`}
      disabled={disabled}
      aria-label={label}
      aria-pressed={pressed}
      aria-expanded={expanded}
      title={title ?? (children == null ? label : undefined)}
      onClick={onClick}
    >
      {icon && <Glyph icon={icon} />}
      {children}
    </button>
  );
}

/** A state: dot and word. Live, so that a screen reader hears it change. */
export function StateChip({ tone, children }: { tone: Tone; children: ComponentChildren }): VNode {
  return (
    <span class={`wb-chip ${tone === 'idle' ? '' : tone}`} role="status">
      <i class={`wb-dot ${tone}`} />
      {children}
    </span>
  );
}

/** Facts with a middle dot between them; empty ones are left out. */
export function Facts({ items, class: kind = '' }: { items: readonly ComponentChildren[]; class?: string }): VNode | null {
  const shown = items.filter(item => item !== null && item !== undefined && item !== false && item !== '');
  if (!shown.length) return null;
  return (
    <div class={`wb-facts ${kind}`}>
      {shown.map((item, i) => (
        <span key={i}>{item}</span>
      ))}
    </div>
  );
}

export interface TabItem<Id extends string> {
  readonly id: Id;
  readonly title: string;
}

export interface TabsProps<Id extends string> {
  items: readonly TabItem<Id>[];
  chosen: Id | null;
  panel: string;
  onChoose: (id: Id | null) => void;
  children?: ComponentChildren;
}

/** Tabs; the arrow keys move between them, the chosen one closes its panel when pressed again. */
export function Tabs<Id extends string>({ items, chosen, panel, onChoose, children }: TabsProps<Id>): VNode {
  const move = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (!step) return;
    const next = items[(items.findIndex(item => item.id === chosen) + step + items.length) % items.length];
    if (!next) return;
    onChoose(next.id);
    const bar = (event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('[role=tab]');
    bar[items.indexOf(next)]?.focus();
  };
  return (
    <div class="wb-tabs" role="tablist" onKeyDown={move}>
      {items.map((item, i) => (
        <button
          key={item.id}
          type="button"
          role="tab"
          aria-selected={item.id === chosen}
          aria-controls={panel}
          tabIndex={item.id === chosen || (chosen === null && i === 0) ? 0 : -1}
          onClick={() => onChoose(item.id === chosen ? null : item.id)}
        >
          {item.title}
        </button>
      ))}
      {children}
    </div>
  );
}

export function Switch({ on, label, onChange }: { on: boolean; label: string; onChange: (on: boolean) => void }): VNode {
  return <button type="button" class="wb-switch" role="switch" aria-checked={on} aria-label={label} onClick={() => onChange(!on)} />;
}

export interface SliderProps {
  value: number;
  min: number;
  max: number;
  step: number;
  label: string;
  onChange: (value: number) => void;
}

export function Slider({ value, min, max, step, label, onChange }: SliderProps): VNode {
  return (
    <input
      class="wb-slider"
      type="range"
      value={value}
      min={min}
      max={max}
      step={step}
      aria-label={label}
      style={{ '--v': `${((value - min) / (max - min)) * 100}%` }}
      onInput={event => onChange(Number(event.currentTarget.value))}
    />
  );
}

export interface SegmentsProps<Id extends string> {
  items: readonly (TabItem<Id> & { readonly count?: string })[];
  chosen: Id;
  label: string;
  onChoose: (id: Id) => void;
}

export function Segments<Id extends string>({ items, chosen, label, onChoose }: SegmentsProps<Id>): VNode {
  return (
    <div class="wb-seg" role="group" aria-label={label}>
      {items.map(item => (
        <button key={item.id} type="button" aria-pressed={item.id === chosen} onClick={() => onChoose(item.id)}>
          {item.title}
          {item.count !== undefined && <small>{item.count}</small>}
        </button>
      ))}
    </div>
  );
}

/** Progress of something that has a name; without a share it only says that work goes on. */
export function Bar({ share, label, square = false }: { share: number | null; label: string; square?: boolean }): VNode {
  const percent = share === null ? undefined : Math.round(Math.min(1, Math.max(0, share)) * 1000) / 10;
  return (
    <div
      class="wb-bar"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      style={square ? { borderRadius: 0 } : undefined}
    >
      <i style={{ width: `${percent ?? 0}%` }} />
    </div>
  );
}

export interface SparkProps {
  values: Float64Array;
  height: number;
  /** Where the scale starts and ends; by default at what is seen. */
  from?: number;
  to?: number;
  fill?: boolean;
  /** How many values the whole width stands for; fewer leave room at the left. */
  span?: number;
}

/** A line without axes; the number beside it is the scale. */
export function Spark({ values, height, from, to, fill = false, span }: SparkProps): VNode {
  const points = thin(values);
  const low = from ?? Math.min(...points);
  const high = to ?? Math.max(...points);
  const reach = high - low || 1;
  const flat = high === low && from === undefined;
  const share = span && span > values.length ? (values.length - 1) / (span - 1) : 1;
  const path = points
    .map((value, i) => {
      const x = 100 - 100 * share + (points.length > 1 ? (i / (points.length - 1)) * 100 * share : 100 * share);
      const y = flat ? height / 2 : (1 - Math.min(1, Math.max(0, (value - low) / reach))) * (height - 2) + 1;
      return `${i ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join('');
  return (
    <span class="wb-spark" style={{ '--h': `${height}px` }}>
      <svg viewBox={`0 0 100 ${height}`} preserveAspectRatio="none" aria-hidden="true">
        {points.length > 1 && fill && <path class="a1" d={`${path}L100 ${height}L${(100 - 100 * share).toFixed(1)} ${height}Z`} />}
        {points.length > 1 && <path class="l1" d={path} />}
      </svg>
    </span>
  );
}

const LEVEL = /\b(error|exception|traceback|fatal|failed|killed|out of memory)\b|Error\b/i;
const WARNING = /\bwarn(ing)?\b/i;
const TIME = /^\s*\[?(\d{4}-\d\d-\d\d[ T])?\d\d:\d\d:\d\d([.,]\d+)?\]?/;

/** Log lines; where it follows, it stays at the end while lines come, unless the reader has scrolled up. */
export function Log({ text, follow = false, label, height }: { text: string; follow?: boolean; label: string; height?: number }): VNode {
  const box = useRef<HTMLPreElement>(null);
  useEffect(() => {
    if (follow && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [text, follow]);
  const lines = text.replace(/\n+$/, '').split('\n');
  return (
    <pre class="wb-log" tabIndex={0} ref={box} aria-label={label} style={height ? { maxHeight: height, overflowY: 'auto' } : undefined}>
      {lines.map((line, i) => {
        const time = TIME.exec(line)?.[0] ?? '';
        const rest = line.slice(time.length);
        const kind = LEVEL.test(rest) ? 'e' : WARNING.test(rest) ? 'w' : '';
        return (
          <Fragment key={i}>
            {time && <span class="t">{time}</span>}
            {kind ? <span class={kind}>{rest}</span> : rest}
            {i < lines.length - 1 && '\n'}
          </Fragment>
        );
      })}
    </pre>
  );
}

export interface NoteProps {
  level: 'info' | 'warn' | 'err';
  children: ComponentChildren;
  action?: ComponentChildren;
  dismiss?: string;
  onDismiss?: () => void;
}

/** One line with one action. */
export function Note({ level, children, action, dismiss, onDismiss }: NoteProps): VNode {
  return (
    <div class={`wb-note ${level === 'info' ? '' : level}`} role={level === 'err' ? 'alert' : 'status'}>
      {level !== 'info' && <Glyph icon={level === 'err' ? icons.err : icons.warn} />}
      <span>{children}</span>
      {action}
      {onDismiss && <Button class="ghost sq s quiet" icon={icons.x} label={dismiss} onClick={onDismiss} />}
    </div>
  );
}

/** An error of a request: what, cause and fix in one note. */
export function ProblemNote({ problem, dismiss, onDismiss }: { problem: Problem; dismiss: string; onDismiss: () => void }): VNode {
  return (
    <Note level="err" dismiss={dismiss} onDismiss={onDismiss}>
      {[problem.what, problem.cause, problem.fix].filter(Boolean).join(' ')}
    </Note>
  );
}

/** Why something failed and what to do about it. */
export function Why({ cause, fix, words }: { cause: string; fix: string; words: { cause: string; fix: string } }): VNode {
  return (
    <dl class="wb-why">
      {cause && (
        <>
          <dt>{words.cause}</dt>
          <dd>{cause}</dd>
        </>
      )}
      {fix && (
        <>
          <dt>{words.fix}</dt>
          <dd>{fix}</dd>
        </>
      )}
    </dl>
  );
}

/** Puts text on the clipboard; where the page may not, an invisible field does it the old way. */
export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = document.createElement('textarea');
    field.value = text;
    field.style.cssText = 'position:fixed;opacity:0';
    document.body.append(field);
    field.select();
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- the only way on a page without a secure origin
    document.execCommand('copy');
    field.remove();
  }
}

export interface CopyProps {
  text: string | (() => string);
  label: string;
  done: string;
  class?: string;
  children?: ComponentChildren;
}

/** Copies, and says so for a moment. */
export function Copy({ text, label, done, class: kind = 'ghost sq s quiet', children }: CopyProps): VNode {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), 1600);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <Button
      class={kind}
      icon={copied ? icons.check : icons.copy}
      label={copied ? done : label}
      onClick={() => void copyText(typeof text === 'string' ? text : text()).then(() => setCopied(true))}
    >
      {children !== undefined && (copied ? done : children)}
    </Button>
  );
}

export interface MenuItem {
  readonly title: string;
  readonly icon?: icons.Icon;
  readonly run: () => void;
}

/** The three dots and what is behind them. Arrows move, Esc closes. */
export function More({ items, label }: { items: readonly MenuItem[]; label: string }): VNode | null {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return undefined;
    root.current?.querySelector<HTMLElement>('[role=menuitem]')?.focus();
    const away = (event: Event): void => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener('pointerdown', away, true);
    return () => document.removeEventListener('pointerdown', away, true);
  }, [open]);
  if (!items.length) return null;
  const key = (event: KeyboardEvent): void => {
    const all = [...(root.current?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])];
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (event.key === 'Escape') {
      setOpen(false);
      root.current?.querySelector<HTMLElement>('button')?.focus();
    } else if (step && open) {
      event.preventDefault();
      all[(all.indexOf(document.activeElement as HTMLElement) + step + all.length) % all.length]?.focus();
    }
  };
  return (
    <div class="wb-more" ref={root} onKeyDown={key}>
      <Button class="ghost sq quiet" icon={icons.more} label={label} expanded={open} onClick={() => setOpen(!open)} />
      {open && (
        <div class="wb-menu" role="menu" aria-label={label}>
          {items.map(item => (
            <button
              key={item.title}
              type="button"
              role="menuitem"
              onClick={() => {
                setOpen(false);
                item.run();
              }}
            >
              {item.icon && <Glyph icon={item.icon} />}
              {item.title}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

export interface ConfirmProps {
  question: string;
  lost: string;
  yes: string;
  no: string;
  onYes: () => void;
  onNo: () => void;
}

/** Names what is lost before it is. */
export function Confirm({ question, lost, yes, no, onYes, onNo }: ConfirmProps): VNode {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.querySelector('button')?.focus(), []);
  return (
    <div class="wb-confirm" role="alertdialog" aria-label={question} ref={box} onKeyDown={event => event.key === 'Escape' && onNo()}>
      <p class="wb-b">{question}</p>
      <p class="wb-s wb-2">{lost}</p>
      <div class="wb-row">
        <Button class="main" onClick={onYes}>
          {yes}
        </Button>
        <Button onClick={onNo}>{no}</Button>
      </div>
    </div>
  );
}
