/** @jsx h */
/** One score: its verdict, the difference, mean and interval of each model on one scale. */
import { h } from 'preact';
import type { VNode } from 'preact';
import * as format from '../../common/format';
import * as icons from '../../common/icons';
import { timeWords, translator } from '../../common/messages';
import { Glyph } from '../../common/parts/button';
import type { Head, Summary, Verdict } from './state';
import { evaltable } from './words';

const t = translator(evaltable);
const times = timeWords();
const VERDICTS: Record<Verdict, readonly [string, icons.Icon]> = {
  better: ['ok', icons.up],
  worse: ['err', icons.chev],
  same: ['', icons.tie],
  inconclusive: ['', icons.tie]
};

export const letter = (model: number): string => String.fromCharCode(65 + model);
export const Mark = ({ model, candidate }: { model: number; candidate: number }): VNode => (
  <span class={`mark ${model === candidate ? 'b' : ''}`}>{letter(model)}</span>
);

export function value(amount: number | null | undefined, unit: string): string {
  if (amount == null) return format.NONE;
  if (unit === '%') return format.percent(amount, 1);
  if (unit === 's') return format.duration(amount, times);
  return `${format.fixed(amount, 2)}${unit ? ` ${unit}` : ''}`;
}

/** A difference in the unit that reads best: points for shares, the time's own unit for seconds. */
export function difference(amount: number | null, unit: string): string {
  if (amount === null) return format.NONE;
  if (unit === '%') return `${format.signed(amount * 100, 1)} pts`;
  if (unit !== 's') return `${format.signed(amount, 2)}${unit ? ` ${unit}` : ''}`;
  const size = Math.abs(amount);
  return size < 1 ? `${format.signed(amount * 1000, size < 0.01 ? 1 : 0)} ${times.ms}` : `${format.signed(amount, 2)} ${times.s}`;
}

function ends(amount: number, unit: string, signs: boolean): string {
  if (signs) return difference(amount, unit).replace(/ pts$/, '');
  return value(amount, unit);
}

function Whisker({ summary, model, scale }: { summary: Summary; model: number; scale: readonly [number, number] }): VNode {
  const at = (x: number): string => `${(((x - scale[0]) / (scale[1] - scale[0] || 1)) * 100).toFixed(1)}%`;
  const mean = summary.means[model];
  const interval = summary.intervals[model];
  return (
    <span class="wk" style={mean == null ? undefined : { '--m': at(mean), '--l': at(interval?.[0] ?? mean), '--r': at(interval?.[1] ?? mean) }}>
      {mean != null && <i />}
      {mean != null && <u />}
    </span>
  );
}

function scaleOf(summary: Summary, models: readonly number[]): readonly [number, number] {
  const points = models.flatMap(m => [summary.means[m] ?? null, ...(summary.intervals[m] ?? [])]).filter((x): x is number => x !== null);
  const low = Math.min(...points);
  const high = Math.max(...points);
  if (!points.length) return [0, 1];
  const air = (high - low) * 0.35 || Math.abs(high) * 0.1 || 0.5;
  return summary.unit === '%' ? [Math.max(0, low - air), Math.min(1, high + air)] : [low - air, high + air];
}

function told(summary: Summary): string {
  const { difference_interval: interval, verdict } = summary;
  const parts: string[] = [];
  if (interval) parts.push(t('ci', { from: ends(interval[0], summary.unit, true), to: ends(interval[1], summary.unit, true) + (summary.unit === '%' ? ' pts' : '') }));
  if (verdict === 'inconclusive') {
    if (summary.rows_to_settle !== null) parts.push(t('moreRows', { rows: format.integer(summary.rows_to_settle) }));
  } else if (verdict === 'same' && summary.margin !== null) {
    parts.push(t('margin', { margin: difference(summary.margin, summary.unit).replace('+', '') }));
  } else parts.push(t('improvedCount', { better: format.integer(summary.improved), worse: format.integer(summary.regressed) }));
  return parts.join(' ');
}

function Card({ summary, head }: { summary: Summary; head: Head }): VNode {
  const pair = head.models.length > 1;
  const models = pair ? [head.candidate, head.baseline] : [0];
  const scale = scaleOf(summary, models);
  const interval = summary.intervals[0];
  const [tone, icon] = summary.verdict ? VERDICTS[summary.verdict] : ['', ''];
  return (
    <div class="score" role="group" aria-label={summary.title}>
      <h3>
        <span class="wb-cut">{summary.title}</span>
        {summary.verdict && (
          <span class={`wb-chip ${tone}`}>
            <Glyph icon={icon} />
            {t(summary.verdict)}
          </span>
        )}
      </h3>
      <div class="delta">
        <b>{pair ? difference(summary.difference, summary.unit) : value(summary.means[0], summary.unit)}</b>
        {pair && summary.p_value !== null && (summary.p_value < 0.001 ? 'p < 0.001' : `p = ${summary.p_value < 0.01 ? summary.p_value.toFixed(3) : summary.p_value.toFixed(2)}`)}
      </div>
      <div class={pair ? 'ci' : 'ci single'}>
        {models.map(model => (
          <div key={model} class={pair && model === head.baseline ? 'a' : ''}>
            <Mark model={model} candidate={pair ? head.candidate : -1} />
            <Whisker summary={summary} model={model} scale={scale} />
            <b>{value(summary.means[model], summary.unit)}</b>
          </div>
        ))}
      </div>
      <p>{pair ? told(summary) : interval && t('ci', { from: ends(interval[0], summary.unit, false), to: ends(interval[1], summary.unit, false) })}</p>
    </div>
  );
}

export function Cards({ head }: { head: Head }): VNode | null {
  const known = head.summary.filter(summary => summary.means.some(mean => mean !== null));
  if (!known.length) return null;
  return (
    <div class={`cards ${known.length > 2 ? 'many' : ''}`} style={{ '--n': Math.min(4, known.length) }}>
      {known.map(summary => (
        <Card key={summary.scorer} summary={summary} head={head} />
      ))}
    </div>
  );
}
