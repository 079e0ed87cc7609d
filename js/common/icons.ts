/** The 16 px line icons: paths drawn with the text's colour (see `Glyph`). One export each, so that a bundle holds only its own. */

export type Icon = string;

export const add: Icon = 'M8 3.5v9M3.5 8h9';
export const box: Icon = 'm8 2.5 5 2.7v5.6l-5 2.7-5-2.7V5.2zM3 5.2 8 8l5-2.8M8 8v5.5';
export const chat: Icon = 'M3 4a1 1 0 0 1 1-1h8a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1H7l-3 2.5V11a1 1 0 0 1-1-1z';
export const check: Icon = 'm3.5 8.5 3 3 6-7';
export const chev: Icon = 'm4.5 6.2 3.5 3.6 3.5-3.6';
export const copy: Icon = 'M6.7 5.5h5.1A1.2 1.2 0 0 1 13 6.7v5.1a1.2 1.2 0 0 1-1.2 1.2H6.7a1.2 1.2 0 0 1-1.2-1.2V6.7A1.2 1.2 0 0 1 6.7 5.5M10.5 3H4.2A1.2 1.2 0 0 0 3 4.2v6.3';
export const down: Icon = 'M8 3v9m-3.5-3.5L8 12l3.5-3.5';
export const edit: Icon = 'm3 13 .7-2.9 7-7 2.2 2.2-7 7zM9.3 4.5l2.2 2.2';
export const err: Icon = 'M13.5 8a5.5 5.5 0 1 1-11 0 5.5 5.5 0 0 1 11 0M8 5.2v3.3M8 10.7h.01';
export const bars: Icon = 'M3 13V9m3.3 4V5m3.4 8V7.5M13 13V3';
export const job: Icon = 'M2.5 8H5l1.7-4 2.6 8L11 8h2.5';
export const link: Icon = 'M7 9a2.5 2.5 0 0 0 3.6.1l1.9-1.9a2.5 2.5 0 0 0-3.6-3.6l-1 1M9 7a2.5 2.5 0 0 0-3.6-.1L3.5 8.8a2.5 2.5 0 0 0 3.6 3.6l1-1';
export const more: Icon = 'M3.5 8h.01M8 8h.01M12.5 8h.01';
export const compose: Icon = 'M8 3H4a1 1 0 0 0-1 1v8a1 1 0 0 0 1 1h8a1 1 0 0 0 1-1V8M7 9l.5-2 5-5L14 3.5l-5 5z';
export const pause: Icon = 'M6 4v8M10 4v8';
export const play: Icon = 'M5.5 3.8v8.4L12 8z';
export const retry: Icon = 'M12.8 6.5A5 5 0 1 0 13 8.8M13 3v3.5H9.5';
export const right: Icon = 'm6.2 4.5 3.6 3.5-3.6 3.5';
export const rocket: Icon = 'M8 2.5v8M5 5.5l3-3 3 3M3 10v2.5a1 1 0 0 0 1 1h8a1 1 0 0 0 1-1V10';
export const save: Icon = 'M3 4a1 1 0 0 1 1-1h6.5L13 5.5V12a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1zM5.5 3v3.5h4.5V3M5.5 13V9.5h5V13';
export const search: Icon = 'M11 7a4 4 0 1 1-8 0 4 4 0 0 1 8 0m-1 3 3.2 3.2';
export const send: Icon = 'M8 13V3.5M4 7.3l4-4 4 4';
export const stop: Icon = 'M5.5 4.5h5a1 1 0 0 1 1 1v5a1 1 0 0 1-1 1h-5a1 1 0 0 1-1-1v-5a1 1 0 0 1 1-1';
export const think: Icon = 'M6.2 12.5h3.6M6.8 14h2.4M5.8 10.5c0-1.2-1.6-2-1.6-4.2a3.8 3.8 0 0 1 7.6 0c0 2.2-1.6 3-1.6 4.2z';
export const tie: Icon = 'M4 6.3h8M4 9.7h8';
export const tune: Icon = 'M3 5h5m4 0h1M3 11h1m4 0h5M11.7 5a1.7 1.7 0 1 1-3.4 0 1.7 1.7 0 0 1 3.4 0M7.7 11a1.7 1.7 0 1 1-3.4 0 1.7 1.7 0 0 1 3.4 0';
export const up: Icon = 'm4.5 9.8 3.5-3.6 3.5 3.6';
export const warn: Icon = 'M8 2.8 14 13H2zM8 6.8v2.7M8 11.3h.01';
export const x: Icon = 'm4.5 4.5 7 7m0-7-7 7';
