/** @jsx h */
/** The three dots and what is behind them. */
import { h } from 'preact';
import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import * as icons from '../icons';
import { Button, Glyph } from './button';

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
