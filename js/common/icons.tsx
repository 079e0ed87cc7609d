/** @jsx h */
/** The 16 px line icons, drawn with the text's colour. */
import { h } from 'preact';
import type { JSX, VNode } from 'preact';

const PATHS = {
  add: 'M8 3.5v9M3.5 8h9',
  box: 'm8 2.5 5 2.7v5.6l-5 2.7-5-2.7V5.2zM3 5.2 8 8l5-2.8M8 8v5.5',
  chat: 'M3 4a1 1 0 0 1 1-1h8a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1H7l-3 2.5V11a1 1 0 0 1-1-1z',
  check: 'm3.5 8.5 3 3 6-7',
  chev: 'm4.5 6.2 3.5 3.6 3.5-3.6',
  copy: 'M6.7 5.5h5.1A1.2 1.2 0 0 1 13 6.7v5.1a1.2 1.2 0 0 1-1.2 1.2H6.7a1.2 1.2 0 0 1-1.2-1.2V6.7A1.2 1.2 0 0 1 6.7 5.5M10.5 3H4.2A1.2 1.2 0 0 0 3 4.2v6.3',
  down: 'M8 3v9m-3.5-3.5L8 12l3.5-3.5',
  edit: 'm3 13 .7-2.9 7-7 2.2 2.2-7 7zM9.3 4.5l2.2 2.2',
  err: 'M13.5 8a5.5 5.5 0 1 1-11 0 5.5 5.5 0 0 1 11 0M8 5.2v3.3M8 10.7h.01',
  eval: 'M3 13V9m3.3 4V5m3.4 8V7.5M13 13V3',
  job: 'M2.5 8H5l1.7-4 2.6 8L11 8h2.5',
  link: 'M7 9a2.5 2.5 0 0 0 3.6.1l1.9-1.9a2.5 2.5 0 0 0-3.6-3.6l-1 1M9 7a2.5 2.5 0 0 0-3.6-.1L3.5 8.8a2.5 2.5 0 0 0 3.6 3.6l1-1',
  more: 'M3.5 8h.01M8 8h.01M12.5 8h.01',
  new: 'M8 3H4a1 1 0 0 0-1 1v8a1 1 0 0 0 1 1h8a1 1 0 0 0 1-1V8M7 9l.5-2 5-5L14 3.5l-5 5z',
  pause: 'M6 4v8M10 4v8',
  play: 'M5.5 3.8v8.4L12 8z',
  retry: 'M12.8 6.5A5 5 0 1 0 13 8.8M13 3v3.5H9.5',
  right: 'm6.2 4.5 3.6 3.5-3.6 3.5',
  rocket: 'M8 2.5v8M5 5.5l3-3 3 3M3 10v2.5a1 1 0 0 0 1 1h8a1 1 0 0 0 1-1V10',
  save: 'M3 4a1 1 0 0 1 1-1h6.5L13 5.5V12a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1zM5.5 3v3.5h4.5V3M5.5 13V9.5h5V13',
  search: 'M11 7a4 4 0 1 1-8 0 4 4 0 0 1 8 0m-1 3 3.2 3.2',
  send: 'M8 13V3.5M4 7.3l4-4 4 4',
  stop: 'M5.5 4.5h5a1 1 0 0 1 1 1v5a1 1 0 0 1-1 1h-5a1 1 0 0 1-1-1v-5a1 1 0 0 1 1-1',
  think: 'M6.2 12.5h3.6M6.8 14h2.4M5.8 10.5c0-1.2-1.6-2-1.6-4.2a3.8 3.8 0 0 1 7.6 0c0 2.2-1.6 3-1.6 4.2z',
  tie: 'M4 6.3h8M4 9.7h8',
  tool: 'M9.2 4.2a3 3 0 0 1 3.9-.7L11 5.6l.4 1.4 1.4.4 1.1-1.6a3 3 0 0 1-4 3.6L5.6 13.7a1.5 1.5 0 0 1-2.2-2.1l4.4-4.4a3 3 0 0 1 1.4-3z',
  trash: 'M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.6 8a.6.6 0 0 0 .6.5h4.6a.6.6 0 0 0 .6-.5l.6-8',
  tune: 'M3 5h5m4 0h1M3 11h1m4 0h5M11.7 5a1.7 1.7 0 1 1-3.4 0 1.7 1.7 0 0 1 3.4 0M7.7 11a1.7 1.7 0 1 1-3.4 0 1.7 1.7 0 0 1 3.4 0',
  up: 'm4.5 9.8 3.5-3.6 3.5 3.6',
  warn: 'M8 2.8 14 13H2zM8 6.8v2.7M8 11.3h.01',
  x: 'm4.5 4.5 7 7m0-7-7 7'
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, ...rest }: { name: IconName } & JSX.SVGAttributes<SVGSVGElement>): VNode {
  return (
    <svg class="wb-i" viewBox="0 0 16 16" aria-hidden="true" {...rest}>
      <path d={PATHS[name]} stroke-width={name === 'more' ? 2 : undefined} />
    </svg>
  );
}
