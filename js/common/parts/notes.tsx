/** @jsx h */
/** @jsxFrag Fragment */
/** Words about what went wrong or wants to be known. */
import { Fragment, h } from 'preact';
import type { ComponentChildren, VNode } from 'preact';
import * as icons from '../icons';
import type { Problem } from '../rpc';
import { Button, Glyph } from './button';

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
