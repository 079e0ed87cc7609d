/** @jsx h */
/** A small line without axes. */
import { h } from 'preact';
import type { VNode } from 'preact';
import { thin } from '../smooth';

export interface SparkProps {
  values: Float64Array;
  height: number;
  /** Where the scale starts and ends; by default at what is seen. */
  from?: number;
  to?: number;
  fill?: boolean;
  /** How many values the whole width stands for; fewer leave room at the left. */
  span?: number;
}

/** A line without axes; the number beside it is the scale. */
export function Spark({ values, height, from, to, fill = false, span }: SparkProps): VNode {
  const points = thin(values);
  const low = from ?? Math.min(...points);
  const high = to ?? Math.max(...points);
  const reach = high - low || 1;
  const flat = high === low && from === undefined;
  const share = span && span > values.length ? (values.length - 1) / (span - 1) : 1;
  const path = points
    .map((value, i) => {
      const x = 100 - 100 * share + (points.length > 1 ? (i / (points.length - 1)) * 100 * share : 100 * share);
      const y = flat ? height / 2 : (1 - Math.min(1, Math.max(0, (value - low) / reach))) * (height - 2) + 1;
      return `${i ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join('');
  return (
    <span class="wb-spark" style={{ '--h': `${height}px` }}>
      <svg viewBox={`0 0 100 ${height}`} preserveAspectRatio="none" aria-hidden="true">
        {points.length > 1 && fill && <path class="a1" d={`${path}L100 ${height}L${(100 - 100 * share).toFixed(1)} ${height}Z`} />}
        {points.length > 1 && <path class="l1" d={path} />}
      </svg>
    </span>
  );
}
