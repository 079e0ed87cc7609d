/**
 * The loss chart on a canvas. Curves are thinned to what a pixel can show, so that 100,000 points cost a few
 * milliseconds. Draws what it is given; holds no state of the job. Our own instead of a chart library because a
 * bundle travels with every instance of the widget.
 */
import { integer } from '../../common/format';
import type { TrainData } from './data';
import { lastAtOrBefore } from './data';
import { around, evenTicks, logTicks, share, tickLabels } from './scale';
import type { Scale } from './scale';

export interface Hover {
  readonly step: number;
  readonly raw: number;
  readonly smooth: number;
  /** Pixels from the left edge of the host, and how wide it is. */
  readonly left: number;
  readonly width: number;
}

export interface Labels {
  readonly firstStep: (step: string) => string;
  readonly best: (step: string) => string;
}

interface Palette {
  readonly font: string;
  readonly words: string;
  readonly grid: string;
  readonly line: string;
  readonly run: string;
  readonly eval: string;
  readonly surface: string;
}

interface Frame {
  readonly width: number;
  readonly height: number;
  readonly x: Scale;
  readonly y: Scale;
}

const LEFT = 52;
const RIGHT = 16;
const TOP = 10;
const BOTTOM = 24;
const MANY_EVALS = 200;

/** Colours as the canvas needs them: the variables' values, worked out by the browser. */
function palette(host: HTMLElement): Palette {
  const probe = document.createElement('i');
  host.append(probe);
  const colour = (name: string): string => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const found: Palette = {
    font: `11px ${getComputedStyle(host).fontFamily}`,
    words: colour('--wb-fg2'),
    grid: colour('--wb-grid'),
    line: colour('--wb-line-strong'),
    run: colour('--wb-s1'),
    eval: colour('--wb-s2'),
    surface: colour('--wb-surface')
  };
  probe.remove();
  return found;
}

export class LossChart {
  private readonly canvas = document.createElement('canvas');
  private colours: Palette;
  private data: TrainData | null = null;
  private logScale = false;
  private frame: Frame | null = null;
  private pointer: number | null = null;
  private queued = 0;
  private readonly sizes: ResizeObserver;
  private readonly themes: MutationObserver;

  constructor(
    private readonly host: HTMLElement,
    private readonly height: number,
    private readonly labels: Labels,
    private readonly onHover: (hover: Hover | null) => void
  ) {
    this.canvas.style.cssText = `display:block;width:100%;height:${height}px`;
    host.append(this.canvas);
    this.colours = palette(host);
    this.sizes = new ResizeObserver(() => this.draw());
    this.sizes.observe(host);
    this.themes = new MutationObserver(() => {
      requestAnimationFrame(() => {
        this.colours = palette(this.host);
        this.draw();
      });
    });
    this.themes.observe(document.body, { attributes: true, attributeFilter: ['data-jp-theme-light', 'data-jp-theme-name'] });
    host.addEventListener('pointermove', this.move);
    host.addEventListener('pointerleave', this.leave);
  }

  show(data: TrainData, logScale: boolean): void {
    this.data = data;
    this.logScale = logScale;
    this.draw();
  }

  destroy(): void {
    this.sizes.disconnect();
    this.themes.disconnect();
    cancelAnimationFrame(this.queued);
    this.canvas.remove();
    this.host.removeEventListener('pointermove', this.move);
    this.host.removeEventListener('pointerleave', this.leave);
  }

  private readonly move = (event: PointerEvent): void => {
    this.pointer = event.clientX - this.host.getBoundingClientRect().left;
    this.queued ||= requestAnimationFrame(() => this.draw());
  };

  private readonly leave = (): void => {
    this.pointer = null;
    this.onHover(null);
    this.queued ||= requestAnimationFrame(() => this.draw());
  };

  private measure(data: TrainData): Frame | null {
    const width = this.host.clientWidth;
    if (width < LEFT + RIGHT + 20) return null;
    const { train, eval: judged } = data;
    const { low, high } = data;
    const first = train.x.length ? train.x.at(0) : judged.x.at(0);
    const last = data.lastStep;
    const from = first <= Math.max(20, last * 0.1) ? 0 : first;
    return {
      width,
      height: this.height,
      x: { from, to: last > from ? last : from + 1, log: false },
      y: around(low, high, this.logScale && low > 0)
    };
  }

  private x(step: number): number {
    const { width, x } = this.frame as Frame;
    return LEFT + share(x, step) * (width - LEFT - RIGHT);
  }

  private y(value: number): number {
    const { height, y } = this.frame as Frame;
    return TOP + (1 - share(y, value)) * (height - TOP - BOTTOM);
  }

  private draw(): void {
    this.queued = 0;
    const { data, canvas } = this;
    this.frame = data && this.measure(data);
    if (!data || !this.frame) return;
    const { width, height } = this.frame;
    const ratio = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const ctx = canvas.getContext('2d');
    if (!ctx) return;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, width, height);
    ctx.lineJoin = data.train.x.length > 2 * width ? 'bevel' : 'round';
    this.axes(ctx);
    const best = data.eval.x.length > 1 ? data.bestEval : null;
    if (best) this.bestLine(ctx, best.step);
    const hover = this.hovered(data);
    if (hover) this.vertical(ctx, hover.left, this.colours.line);
    ctx.save();
    ctx.beginPath();
    ctx.rect(LEFT - 4, TOP - 6, width - LEFT - RIGHT + 8, height - TOP - BOTTOM + 10);
    ctx.clip();
    const xs = data.train.x.view();
    ctx.strokeStyle = this.colours.run;
    ctx.globalAlpha = 0.26;
    ctx.lineWidth = 1;
    this.curve(ctx, xs, data.train.y.view());
    ctx.globalAlpha = 1;
    ctx.lineWidth = 1.75;
    this.curve(ctx, xs, data.smooth.out.view());
    if (xs.length === 1) this.dot(ctx, this.x(data.train.x.at(0)), this.y(data.train.y.at(0)), this.colours.run, 2.5);
    this.evals(ctx, data, best?.step ?? null);
    if (hover) this.dot(ctx, hover.left, this.y(hover.smooth), this.colours.run, 4);
    ctx.restore();
    this.onHover(hover);
  }

  private axes(ctx: CanvasRenderingContext2D): void {
    const { width, height, x, y } = this.frame as Frame;
    const bottom = height - BOTTOM;
    ctx.font = this.colours.font;
    ctx.fillStyle = this.colours.words;
    ctx.lineWidth = 1;
    ctx.textBaseline = 'middle';
    ctx.textAlign = 'right';
    const rows = y.log ? logTicks(y.from, y.to, 5) : evenTicks(y.from, y.to, 5);
    tickLabels(rows).forEach((label, i) => {
      const at = this.y(rows[i]);
      ctx.strokeStyle = this.colours.grid;
      if (at < bottom - 1) this.horizontal(ctx, at, width);
      ctx.fillText(label, LEFT - 8, at);
    });
    ctx.strokeStyle = this.colours.line;
    this.horizontal(ctx, bottom, width);
    ctx.textBaseline = 'top';
    const columns = evenTicks(x.from, x.to, Math.max(2, Math.floor((width - LEFT - RIGHT) / 110))).filter(Number.isInteger);
    columns.forEach((step, i) => {
      const label = i === 0 ? this.labels.firstStep(integer(step)) : integer(step);
      const half = ctx.measureText(label).width / 2;
      ctx.textAlign = 'center';
      ctx.fillText(label, Math.min(width - half - 2, this.x(step)), bottom + 7);
    });
  }

  private horizontal(ctx: CanvasRenderingContext2D, at: number, width: number): void {
    const y = Math.round(at) + 0.5;
    ctx.beginPath();
    ctx.moveTo(LEFT, y);
    ctx.lineTo(width - RIGHT, y);
    ctx.stroke();
  }

  private vertical(ctx: CanvasRenderingContext2D, at: number, colour: string): void {
    const x = Math.round(at) + 0.5;
    ctx.strokeStyle = colour;
    ctx.lineWidth = 1;
    ctx.beginPath();
    ctx.moveTo(x, TOP);
    ctx.lineTo(x, this.height - BOTTOM);
    ctx.stroke();
  }

  /**
   * A line through all points; where several fall into one pixel column, through the lowest and highest of them, in the
   * order that keeps the line short. Plain arithmetic, because this is where the time goes.
   */
  private curve(ctx: CanvasRenderingContext2D, xs: Float64Array, ys: Float64Array): void {
    const n = Math.min(xs.length, ys.length);
    if (n < 2) return;
    const { width, x: scale } = this.frame as Frame;
    const stretch = (width - LEFT - RIGHT) / (scale.to - scale.from);
    ctx.beginPath();
    if (n <= 2 * width) {
      for (let i = 0; i < n; i++) ctx.lineTo(LEFT + (xs[i] - scale.from) * stretch, this.y(ys[i]));
      ctx.stroke();
      return;
    }
    let column = Math.floor((xs[0] - scale.from) * stretch);
    let low = ys[0];
    let high = low;
    let before = low;
    for (let i = 1; i <= n; i++) {
      const next = i < n ? Math.floor((xs[i] - scale.from) * stretch) : NaN;
      if (next !== column) {
        const x = LEFT + column + 0.5;
        const [first, second] = Math.abs(before - low) < Math.abs(before - high) ? [low, high] : [high, low];
        ctx.lineTo(x, this.y(first));
        if (second !== first) ctx.lineTo(x, this.y(second));
        before = second;
        column = next;
        low = Infinity;
        high = -Infinity;
      }
      if (i === n) break;
      const value = ys[i];
      if (value < low) low = value;
      if (value > high) high = value;
    }
    ctx.stroke();
  }

  private bestLine(ctx: CanvasRenderingContext2D, step: number): void {
    const at = this.x(step);
    ctx.setLineDash([2, 3]);
    this.vertical(ctx, at, this.colours.eval);
    ctx.setLineDash([]);
    const { width } = this.frame as Frame;
    if (width < 480) return;
    const text = this.labels.best(integer(step));
    const flip = at + 6 + ctx.measureText(text).width > width - RIGHT;
    ctx.fillStyle = this.colours.words;
    ctx.textBaseline = 'top';
    ctx.textAlign = flip ? 'right' : 'left';
    ctx.fillText(text, at + (flip ? -6 : 6), TOP + 2);
  }

  private evals(ctx: CanvasRenderingContext2D, data: TrainData, best: number | null): void {
    const xs = data.eval.x.view();
    const ys = data.eval.y.view();
    ctx.strokeStyle = this.colours.eval;
    ctx.globalAlpha = 0.55;
    ctx.lineWidth = 1;
    this.curve(ctx, xs, ys);
    ctx.globalAlpha = 1;
    xs.forEach((step, i) => {
      const hollow = step === best;
      if (xs.length > MANY_EVALS && !hollow) return;
      const x = this.x(step);
      const y = this.y(ys[i]);
      this.dot(ctx, x, y, this.colours.eval, 3.5);
      if (hollow) this.dot(ctx, x, y, this.colours.surface, 1.6);
    });
  }

  private dot(ctx: CanvasRenderingContext2D, x: number, y: number, colour: string, radius: number): void {
    ctx.fillStyle = colour;
    ctx.beginPath();
    ctx.arc(x, y, radius, 0, 2 * Math.PI);
    ctx.fill();
  }

  private hovered(data: TrainData): Hover | null {
    const { pointer, frame } = this;
    if (pointer === null || !frame || !data.train.x.length) return null;
    const step = frame.x.from + ((pointer - LEFT) / (frame.width - LEFT - RIGHT)) * (frame.x.to - frame.x.from);
    const before = Math.max(0, lastAtOrBefore(data.train.x, step));
    const after = Math.min(before + 1, data.train.x.length - 1);
    const at = Math.abs(data.train.x.at(after) - step) < Math.abs(data.train.x.at(before) - step) ? after : before;
    const found = data.train.x.at(at);
    return { step: found, raw: data.train.y.at(at), smooth: data.smooth.out.at(at), left: this.x(found), width: frame.width };
  }
}
