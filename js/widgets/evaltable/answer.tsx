/** @jsx h */
/** @jsxFrag Fragment */
/** One answer with its score and its differences to the other. */
import { Fragment, h } from 'preact';
import type { VNode } from 'preact';
import { useMemo } from 'preact/hooks';
import * as format from '../../common/format';
import * as icons from '../../common/icons';
import { Glyph } from '../../common/parts/button';
import { worddiff } from '../../common/worddiff';
import type { Run } from '../../common/worddiff';
import { value } from './cards';
import { t } from './shared';
import type { Head, Output, Row } from './state';

export function ScoreChip({ output, name, unit }: { output: Output | undefined; name: string; unit: string }): VNode {
  if (!output || output.skipped) return <span class="wb-chip">{format.NONE}</span>;
  if (output.error) return <span class="wb-chip warn">{t('error')}</span>;
  const score = output.scores[name];
  if (score == null) return <span class="wb-chip">{format.NONE}</span>;
  if (unit === '%' && (score === 1 || score === 0)) return <span class={`wb-chip ${score ? 'ok' : 'err'}`}>{t(score ? 'pass' : 'fail')}</span>;
  return <span class="wb-chip">{value(score, unit)}</span>;
}

const Runs = ({ runs, removed = false }: { runs: readonly Run[]; removed?: boolean }): VNode => (
  <>{runs.map((run, i) => (run.changed ? removed ? <del key={i}>{run.text}</del> : <ins key={i}>{run.text}</ins> : run.text))}</>
);

/** The two answers with their differences marked; plain where there is one model or one has none. */
export function useRuns(row: Row, head: Head): readonly (readonly Run[])[] {
  const a = row.outputs[head.baseline]?.value ?? '';
  const b = row.outputs[head.candidate]?.value ?? '';
  return useMemo(() => {
    if (head.models.length < 2) return [[{ text: a, changed: false }]];
    const diff = a && b ? worddiff(a, b) : { a: [{ text: a, changed: false }], b: [{ text: b, changed: false }] };
    return [diff.a, diff.b];
  }, [a, b, head.models.length]);
}

export function Said({ output, runs, removed, long = false }: { output: Output | undefined; runs: readonly Run[]; removed: boolean; long?: boolean }): VNode {
  if (output?.skipped) return <p class="out wb-2">{t('notAsked')}</p>;
  if (output?.error)
    return (
      <p class={long ? 'txt bad' : 'out'}>
        <span class="bad">
          <Glyph icon={icons.err} />
          <span>{t('noAnswer', { error: output.error })}</span>
        </span>
      </p>
    );
  return (
    <p class={long ? 'txt' : 'out'}>
      <Runs runs={runs} removed={removed} />
    </p>
  );
}
