/** @jsx h */
/** Ways to choose: tabs, a switch, a slider, segments. */
import { h } from 'preact';
import type { ComponentChildren, VNode } from 'preact';

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
