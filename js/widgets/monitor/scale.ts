/** Where a value falls on a chart, and which ticks a scale gets. Pure. */

export interface Scale {
  readonly from: number;
  readonly to: number;
  readonly log: boolean;
}

/** The share of the way from the scale's start to its end. */
export function share(scale: Scale, value: number): number {
  const { from, to, log } = scale;
  if (!log) return (value - from) / (to - from);
  return (Math.log(Math.max(value, Number.MIN_VALUE)) - Math.log(from)) / (Math.log(to) - Math.log(from));
}

/** The smallest of 1, 2, 5 × 10^k that is at least `value`. */
export function niceStep(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  for (const factor of [1, 2, 5, 10]) if (factor * power >= value * (1 - 1e-9)) return factor * power;
  return 10 * power;
}

/** Evenly spaced round numbers within the scale, at most `count`. */
export function evenTicks(from: number, to: number, count: number): number[] {
  if (!(to > from)) return [from];
  const step = niceStep((to - from) / count);
  const out: number[] = [];
  for (let k = Math.ceil(from / step - 1e-9); k * step <= to + step * 1e-9; k++) out.push(Number((k * step).toPrecision(12)));
  return out;
}

/** Round numbers for a logarithmic scale: powers of ten, with 2 and 5 between them where there is room. */
export function logTicks(from: number, to: number, count: number): number[] {
  for (const factors of [[1, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]]) {
    const out: number[] = [];
    for (let power = Math.floor(Math.log10(from)); power <= Math.ceil(Math.log10(to)); power++)
      for (const factor of factors) {
        const tick = Number((factor * 10 ** power).toPrecision(6));
        if (tick >= from * (1 - 1e-9) && tick <= to * (1 + 1e-9)) out.push(tick);
      }
    if (out.length < 2) return evenTicks(from, to, count);
    if (out.length <= count + 1) return out;
    if (factors.length === 1) return out.filter((_, i) => i % Math.ceil(out.length / count) === 0);
  }
  return [];
}

/** A scale around everything from `low` to `high`: whole grid steps where it is linear, a little air where it is not. */
export function around(low: number, high: number, log: boolean, count = 4): Scale {
  if (!(high >= low)) return { from: log ? 0.1 : 0, to: 1, log };
  if (log && high > 0) {
    const least = Math.max(low, high * 1e-6);
    return least < high ? { from: least / 1.08, to: high * 1.08, log } : { from: high / 2, to: high * 2, log };
  }
  if (low === high) {
    const half = Math.abs(low) / 2 || 0.5;
    return { from: low - half, to: high + half, log: false };
  }
  const step = niceStep((high - low) / count);
  return { from: Math.floor(low / step + 1e-9) * step, to: Math.ceil(high / step - 1e-9) * step, log: false };
}

/** Tick labels that share one number of digits. */
export function tickLabels(ticks: readonly number[]): string[] {
  const gaps = ticks.slice(1).map((v, i) => v - (ticks[i]));
  const least = Math.min(...gaps);
  if (!Number.isFinite(least) || least < 1e-4) return ticks.map(v => v.toPrecision(2));
  const digits = Math.max(0, Math.ceil(-Math.log10(least) - 1e-9));
  return ticks.map(v => v.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace('-', '−'));
}
