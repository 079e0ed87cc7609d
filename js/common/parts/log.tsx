/** @jsx h */
/** @jsxFrag Fragment */
/** Log lines. */
import { Fragment, h } from 'preact';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

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
