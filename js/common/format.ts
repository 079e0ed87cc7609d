/**
 * Numbers, times and sizes as people read them: thousands with a comma, a true minus sign, the unit after a space.
 * Units are the same in every language here except those of time.
 */

export interface TimeWords {
  readonly ms: string;
  readonly s: string;
  readonly min: string;
  readonly h: string;
  readonly d: string;
}

const minus = (text: string): string => text.replace(/^-/, '−');
export const NONE = '–';

export function integer(value: number | null | undefined): string {
  return value == null || !Number.isFinite(value) ? NONE : minus(Math.round(value).toLocaleString('en-US'));
}

export function fixed(value: number | null | undefined, digits: number): string {
  if (value == null || !Number.isFinite(value)) return NONE;
  return minus(value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits }));
}

/** A loss: four digits that matter, never longer than it must be. */
export function loss(value: number | null | undefined): string {
  if (value == null || !Number.isFinite(value)) return NONE;
  const size = Math.abs(value);
  if (size >= 1000) return fixed(value, 0);
  if (size >= 100) return fixed(value, 1);
  if (size >= 10) return fixed(value, 2);
  if (size >= 0.01 || size === 0) return fixed(value, 3);
  return scientific(value);
}

/** `1.53e-4`, `2e-4`. */
export function scientific(value: number | null | undefined): string {
  if (value == null || !Number.isFinite(value)) return NONE;
  if (value === 0) return '0';
  return minus(value.toExponential(2).replace(/\.?0+e/, 'e').replace('e+', 'e'));
}

/** Any measured value without knowing what it is. */
export function measure(value: number | null | undefined): string {
  if (value == null || !Number.isFinite(value)) return NONE;
  const size = Math.abs(value);
  if (size >= 100 || value === 0) return integer(value);
  if (size >= 10) return fixed(value, 1);
  return size >= 0.01 ? fixed(value, 2) : scientific(value);
}

export function percent(share: number | null | undefined, digits = 0): string {
  return share == null || !Number.isFinite(share) ? NONE : `${fixed(share * 100, digits)}%`;
}

/** As `workbench/core/sizes.py` has it: by 1024, as GPUs and their tools count, under the names of IEC 80000-13. */
const SIZES = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;
const OVER = 1023.95; // would be shown as 1,024.0

/** Number and unit of a size, the unit chosen by `by` (so that "5 of 8.1 GiB" shares one). */
export function size(bytes: number, by: number = bytes): { readonly value: string; readonly unit: string } {
  let power = 0;
  for (let rest = by; rest >= OVER && power < SIZES.length - 1; rest /= 1024) power += 1;
  const value = bytes / 1024 ** power;
  return { value: fixed(value, power === 0 || value >= 100 || Math.round(value * 10) % 10 === 0 ? 0 : 1), unit: SIZES[power] };
}

export function bytes(count: number | null | undefined): string {
  if (count == null || !Number.isFinite(count)) return NONE;
  const { value, unit } = size(count);
  return `${value} ${unit}`;
}

const two = (value: number): string => String(value).padStart(2, '0');

/** `410 ms`, `2.62 s`, `18 s`, `17 min 59 s`, `3 h 04 min`, `2 d 06 h`. */
export function duration(seconds: number | null | undefined, words: TimeWords): string {
  if (seconds == null || !Number.isFinite(seconds) || seconds < 0) return NONE;
  if (seconds < 1) return `${fixed(seconds * 1000, seconds < 0.01 ? 1 : 0)} ${words.ms}`;
  if (seconds < 10) return `${fixed(seconds, 2)} ${words.s}`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} ${words.s}`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return whole % 60 ? `${minutes} ${words.min} ${whole % 60} ${words.s}` : `${minutes} ${words.min}`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} ${words.h} ${two(minutes % 60)} ${words.min}`;
  return `${Math.floor(hours / 24)} ${words.d} ${two(hours % 24)} ${words.h}`;
}

/** For clocks that tick: whole seconds. */
export function elapsed(seconds: number | null | undefined, words: TimeWords): string {
  if (seconds == null || !Number.isFinite(seconds)) return NONE;
  const whole = Math.max(0, Math.floor(seconds));
  return whole < 10 ? `${whole} ${words.s}` : duration(whole, words);
}

/** An estimate is coarse: seconds by five, then minutes, then hours and minutes. */
export function estimate(seconds: number | null | undefined, words: TimeWords): string {
  if (seconds == null || !Number.isFinite(seconds)) return NONE;
  if (seconds < 60) return `${Math.max(1, seconds < 10 ? Math.round(seconds) : Math.round(seconds / 5) * 5)} ${words.s}`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} ${words.min}`;
  return duration(Math.round(seconds / 60) * 60, words);
}

/** `14:19:58`, in the page's own time zone. */
export function clock(epoch: number): string {
  const t = new Date(epoch * 1000);
  return `${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}`;
}

/** A difference always shows its sign. */
export function signed(value: number | null | undefined, digits: number): string {
  if (value == null || !Number.isFinite(value)) return NONE;
  const text = fixed(value, digits);
  return value > 0 && !/^[0.]+$/.test(text) ? `+${text}` : text;
}
