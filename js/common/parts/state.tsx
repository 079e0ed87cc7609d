/** @jsx h */
/** What something is and how far: a word with a dot, facts, a bar. */
import { h } from 'preact';
import type { ComponentChildren, VNode } from 'preact';

export type Tone = 'ok' | 'run' | 'warn' | 'err' | 'idle';

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
