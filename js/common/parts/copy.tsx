/** @jsx h */
/** What puts text on the clipboard. */
import { h } from 'preact';
import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import * as icons from '../icons';
import { Button } from './button';

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
