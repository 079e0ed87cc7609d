/** @jsx h */
/** A button, and the icon in it or elsewhere. */
import { h } from 'preact';
import type { ComponentChildren, VNode } from 'preact';
import type * as icons from '../icons';

/** An icon. */
export const Glyph = ({ icon }: { icon: icons.Icon }): VNode => (
  <svg class="wb-i" viewBox="0 0 16 16" aria-hidden="true">
    <path d={icon} />
  </svg>
);

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
