/** Exponential moving average that follows a growing column, and thinning for small pictures. */

import { Column } from './columns';

/**
 * `y[0] = x[0]`, `y[i] = weight · y[i−1] + (1 − weight) · x[i]`. Appending costs only what is new;
 * another weight is computed from the start.
 */
export class Ema {
  readonly out = new Column();

  constructor(private weight: number) {}

  extend(source: Column): void {
    let previous = this.out.last();
    for (let i = this.out.length; i < source.length; i++) {
      const value = source.at(i);
      previous = Number.isNaN(previous) ? value : this.weight * previous + (1 - this.weight) * value;
      this.out.push(previous);
    }
  }

  reweigh(weight: number, source: Column): void {
    if (weight === this.weight) return;
    this.weight = weight;
    this.out.clear();
    this.extend(source);
  }
}

/** At most `count` numbers: the means of equal runs; the last number is kept as it is. */
export function thin(values: Float64Array, count = 96): number[] {
  const n = values.length;
  if (n <= count) return Array.from(values);
  const out: number[] = [];
  for (let k = 0; k < count - 1; k++) {
    const from = Math.floor((k * (n - 1)) / (count - 1));
    const to = Math.max(from + 1, Math.floor(((k + 1) * (n - 1)) / (count - 1)));
    let sum = 0;
    for (let i = from; i < to; i++) sum += values[i];
    out.push(sum / (to - from));
  }
  out.push(values[n - 1]);
  return out;
}
