/** @jsx h */
/** A question before something is lost. */
import { h } from 'preact';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Button } from './button';

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
