/** The measured rows of a job, as columns that only grow, and what is derived from them. Knows nothing of drawing. */
import { Column } from '../../common/columns';
import { Ema } from '../../common/smooth';

export interface Series {
  readonly x: Column;
  readonly y: Column;
}

export interface Best {
  readonly step: number;
  readonly value: number;
  /** How many evaluations came after it. */
  readonly after: number;
}

/** Changes in place; `count` says how much has come. */
export class TrainData {
  count = 0;
  /** The lowest and highest loss of both curves. */
  low = Infinity;
  high = -Infinity;
  readonly train: Series = { x: new Column(), y: new Column() };
  readonly eval: Series = { x: new Column(8), y: new Column(8) };
  readonly smooth: Ema;
  private readonly epochs: Series = { x: new Column(), y: new Column() };
  private readonly times: Series = { x: new Column(), y: new Column() };
  private readonly others = new Map<string, Column>();
  private best: Best | null = null;

  constructor(weight: number) {
    this.smooth = new Ema(weight);
  }

  /** Adds `rows` rows that lie one column after the other in `values`, beginning with row `skip`. */
  append(names: readonly string[], values: Float64Array, rows: number, skip = 0): void {
    const columns = new Map(names.map((name, i) => [name, values.subarray(i * rows, (i + 1) * rows)]));
    const steps = columns.get('step');
    if (!steps) return;
    const loss = columns.get('loss');
    const evalLoss = columns.get('eval_loss');
    const epoch = columns.get('epoch');
    const time = columns.get('time');
    for (let i = skip; i < rows; i++) {
      const step = steps[i];
      const trained = loss?.[i] ?? NaN;
      const judged = evalLoss?.[i] ?? NaN;
      if (Number.isFinite(trained)) {
        this.bound(trained);
        this.train.x.push(step);
        this.train.y.push(trained);
        this.times.x.push(step);
        this.times.y.push(time?.[i] ?? NaN);
      }
      if (Number.isFinite(judged)) this.judge(step, judged);
      const lap = epoch?.[i] ?? NaN;
      if (Number.isFinite(lap)) {
        this.epochs.x.push(step);
        this.epochs.y.push(lap);
      }
      for (const [name, column] of columns) {
        if (name === 'step' || name === 'loss' || name === 'eval_loss' || name === 'epoch' || name === 'time') continue;
        const value = column[i];
        if (!Number.isFinite(value)) continue;
        const kept = this.others.get(name) ?? new Column();
        this.others.set(name, kept);
        kept.push(value);
      }
    }
    this.count += rows - skip;
    this.smooth.extend(this.train.y);
  }

  other(name: string): Float64Array | null {
    return this.others.get(name)?.view() ?? null;
  }

  get bestEval(): Best | null {
    return this.best;
  }

  get lastStep(): number {
    const last = Math.max(this.train.x.length ? this.train.x.last() : -1, this.eval.x.length ? this.eval.x.last() : -1);
    return last < 0 ? NaN : last;
  }

  get lastEpoch(): number {
    return this.epochs.y.last();
  }

  epochAt(step: number): number {
    return this.epochs.y.at(lastAtOrBefore(this.epochs.x, step));
  }

  evalAt(step: number): { readonly step: number; readonly value: number } | null {
    const i = lastAtOrBefore(this.eval.x, step);
    return i < 0 ? null : { step: this.eval.x.at(i), value: this.eval.y.at(i) };
  }

  /** Seconds a step takes, over the last few. */
  get stepTime(): number {
    const n = this.times.x.length;
    const back = Math.max(0, n - 21);
    const steps = this.times.x.at(n - 1) - this.times.x.at(back);
    return steps > 0 ? (this.times.y.at(n - 1) - this.times.y.at(back)) / steps : NaN;
  }

  private bound(value: number): void {
    if (value < this.low) this.low = value;
    if (value > this.high) this.high = value;
  }

  private judge(step: number, value: number): void {
    this.bound(value);
    this.eval.x.push(step);
    this.eval.y.push(value);
    if (!this.best || value < this.best.value) this.best = { step, value, after: 0 };
    else this.best = { ...this.best, after: this.best.after + 1 };
  }
}

/** The last index whose x is not past `step`, or −1. */
export function lastAtOrBefore(x: Column, step: number): number {
  let low = 0;
  let high = x.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x.at(middle) <= step) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
