/** @jsx h */
/** @jsxFrag Fragment */
/** One row of the table, and the drawer that it opens. */
import { Fragment, h } from 'preact';
import type { VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import * as format from '../../common/format';
import * as icons from '../../common/icons';
import { Button } from '../../common/parts/button';
import { problemOf } from '../../common/rpc';
import type { Run } from '../../common/worddiff';
import { Said, ScoreChip, useRuns } from './answer';
import { Mark } from './cards';
import { t, times } from './shared';
import type { Inner } from './shared';
import { PAGE, shown } from './state';
import type { Row } from './state';

export function DataRow({ row, props, open, at }: { row: Row; props: Inner; open: boolean; at: number }): VNode {
  const { head, state, dispatch } = props;
  const pair = head.models.length > 1;
  const runs = useRuns(row, head);
  const unit = head.scores.find(s => s.name === state.score)?.unit ?? '';
  const last = row.outputs[head.candidate];
  const key = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step) {
      event.preventDefault();
      const all = [...((event.currentTarget as HTMLElement).parentElement?.querySelectorAll<HTMLElement>('.tr.r') ?? [])];
      all[at + step]?.focus();
    } else if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      dispatch({ type: 'open', index: open ? null : row.index });
    } else if (event.key === 'Escape' && open) dispatch({ type: 'open', index: null });
  };
  return (
    <div
      class={`tr r ${open ? 'open' : ''}`}
      role="row"
      tabIndex={0}
      aria-expanded={open}
      onClick={() => dispatch({ type: 'open', index: open ? null : row.index })}
      onKeyDown={key}
    >
      <span class="id" role="cell">
        {format.integer(row.index)}
      </span>
      <p role="cell">{row.input}</p>
      <p class="x" role="cell">
        {row.expected ?? ''}
      </p>
      {pair ? (
        <>
          <Said output={row.outputs[head.baseline]} runs={runs[0] ?? []} removed />
          <Said output={last} runs={runs[1] ?? []} removed={false} />
        </>
      ) : (
        <Said output={last} runs={runs[0] ?? []} removed={false} />
      )}
      <span class="ab" role="cell" style={pair ? undefined : { gridTemplateColumns: '1fr' }}>
        {pair && <ScoreChip output={row.outputs[head.baseline]} name={state.score} unit={unit} />}
        <ScoreChip output={last} name={state.score} unit={unit} />
      </span>
      <span class="ms x" role="cell">
        {last?.latency == null ? format.NONE : format.integer(last.latency * 1000)}
      </span>
      {!pair && (
        <span class="ms x" role="cell">
          {last?.tokens ? format.integer(last.tokens) : format.NONE}
        </span>
      )}
    </div>
  );
}

function DrawerOutput({ row, model, runs, props }: { row: Row; model: number; runs: readonly Run[]; props: Inner }): VNode {
  const { head, state } = props;
  const output = row.outputs[model];
  const unit = head.scores.find(s => s.name === state.score)?.unit ?? '';
  const pair = head.models.length > 1;
  return (
    <div>
      <h3>
        {pair && <Mark model={model} candidate={head.candidate} />}
        <span class="wb-cut">{head.models[model]}</span>
        <span class="wb-push" />
        <ScoreChip output={output} name={state.score} unit={unit} />
      </h3>
      <Said output={output} runs={runs} removed={model === head.baseline && pair} long />
      {output && Object.entries(output.notes).map(([scorer, note]) => (
        <p class="why" key={scorer}>
          {head.scores.find(s => s.name === scorer)?.title ?? scorer}: {note}
        </p>
      ))}
      {output && !output.error && !output.skipped && (
        <p class="why">
          {[format.duration(output.latency, times), output.tokens > 0 && t('tokensFact', { tokens: format.integer(output.tokens) })].filter(Boolean).join(' · ')}
        </p>
      )}
    </div>
  );
}

export function Drawer({ row, props, at, count }: { row: Row; props: Inner; at: number; count: number }): VNode {
  const { head, state, rpc, dispatch } = props;
  const whole = state.detail?.index === row.index ? state.detail : row;
  const runs = useRuns(whole, head);
  const rows = shown(state) ?? [];
  const place = at - state.page * PAGE;
  useEffect(() => {
    rpc.call<Row>('row', { index: row.index }).then(
      ({ result }) => dispatch({ type: 'detail', row: result }),
      (error: unknown) => dispatch({ type: 'problem', problem: problemOf(error) })
    );
  }, [row.index, head.rev]);
  const go = (to: number): void => {
    const next = rows[to];
    if (next) dispatch({ type: 'open', index: next.index });
  };
  return (
    <div class="drawer" onKeyDown={event => event.key === 'Escape' && dispatch({ type: 'open', index: null })}>
      <div class="all">
        <h3>{t('input')}</h3>
        <p class="txt">{whole.input}</p>
      </div>
      {whole.expected !== null && (
        <div class="ideal">
          <h3>{t('expected')}</h3>
          <p class="txt">{whole.expected}</p>
          {whole.accept && whole.accept.length > 0 && (
            <p class="why">
              {t('accepted')}: {whole.accept.join(' · ')}
            </p>
          )}
        </div>
      )}
      {head.models.length > 1 && <DrawerOutput row={whole} model={head.baseline} runs={runs[0] ?? []} props={props} />}
      <DrawerOutput row={whole} model={head.candidate} runs={runs[head.models.length > 1 ? 1 : 0] ?? []} props={props} />
      <div class="do">
        <span class="wb-row wb-push" style={{ gap: 0 }}>
          <span class="wb-s wb-2" style={{ marginRight: 4 }}>
            {t('of', { at: format.integer(at + 1), total: format.integer(count) })}
          </span>
          <Button class="ghost sq quiet" icon={icons.up} label={t('previous')} disabled={place === 0} onClick={() => go(place - 1)} />
          <Button class="ghost sq quiet" icon={icons.chev} label={t('next')} disabled={place >= rows.length - 1} onClick={() => go(place + 1)} />
        </span>
      </div>
    </div>
  );
}
