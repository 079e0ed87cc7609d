/** @jsx h */
/** @jsxFrag Fragment */
/** The evaluation's card, drawn from its state. */
import { Fragment, h } from 'preact';
import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import * as format from '../../common/format';
import * as icons from '../../common/icons';
import { common, evaltable, timeWords, translator } from '../../common/messages';
import { Bar, Button, Facts, Glyph, ProblemNote, Segments, StateChip } from '../../common/parts';
import { problemOf } from '../../common/rpc';
import type { ViewProps } from '../../common/widget';
import { worddiff } from '../../common/worddiff';
import type { Run } from '../../common/worddiff';
import { Cards, Mark, difference, value } from './cards';
import { PAGE, pageCount, shown } from './state';
import type { Filter, Head, Output, Row, Sort, TableAction, TableState } from './state';

const t = translator(evaltable);
const c = translator(common);
const times = timeWords();
type Props = ViewProps<TableState, TableAction>;
type Inner = Props & { head: Head };

const errorWords = (count: number): string => (count === 1 ? t('errorOne') : t('errorCount', { count: format.integer(count) }));

function download({ rpc, dispatch }: Props): void {
  rpc.call<{ name: string }>('csv', {}, 120).then(
    ({ result, buffers }) => {
      const link = document.createElement('a');
      link.href = URL.createObjectURL(new Blob(buffers.map(b => new Uint8Array(b.buffer as ArrayBuffer, b.byteOffset, b.byteLength)), { type: 'text/csv' }));
      link.download = result.name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    },
    (error: unknown) => dispatch({ type: 'problem', problem: problemOf(error) })
  );
}

function soFar(head: Head): string {
  const [first] = head.summary;
  if (!first) return '';
  if (head.models.length < 2) return first.means[0] == null ? '' : t('soFar', { score: first.title, value: value(first.means[0], first.unit) });
  if (first.difference === null) return '';
  const said = { score: first.title, difference: difference(first.difference, first.unit) };
  return first.verdict === 'inconclusive' ? t('notSettled', said) : t('soFar', { score: said.score, value: said.difference });
}

function HeadRow(props: Inner): VNode {
  const { head, state, rpc, dispatch } = props;
  const running = head.state === 'running';
  const pair = head.models.length > 1;
  const stop = (): void => {
    dispatch({ type: 'busy', on: true });
    rpc.call('stop').catch((error: unknown) => dispatch({ type: 'problem', problem: problemOf(error) }));
  };
  const facts: ComponentChildren[] = running
    ? [
        t('doneRows', { done: format.integer(head.done), total: format.integer(head.total) }),
        head.errors > 0 && errorWords(head.errors),
        head.eta !== null && head.eta >= 1 && t('left', { time: c('about', { time: format.estimate(head.eta, times) }) }),
        soFar(head)
      ]
    : [
        ...[head.baseline, ...(pair ? [head.candidate] : [])].map(model => (
          <>
            {pair && <Mark model={model} candidate={head.candidate} />}
            {pair ? ` ${head.models[model] ?? ''}` : head.models[model]}
            {pair && model === head.baseline && `, ${t('baseline')}`}
          </>
        )),
        head.done < head.total
          ? t('doneRows', { done: format.integer(head.done), total: format.integer(head.total) })
          : t('rowsFact', { rows: format.integer(head.total), errors: errorWords(head.errors) }),
        format.elapsed(head.elapsed, times)
      ];
  return (
    <>
      <header class="head">
        <div>
          <div class="wb-row">
            <span class="wb-title wb-cut">{head.name}</span>
            <StateChip tone={running ? 'run' : head.state === 'finished' ? 'ok' : 'idle'}>{t(running ? 'evaluating' : head.state)}</StateChip>
          </div>
          <Facts items={facts} />
        </div>
        {head.models.length > 2 && (
          <label class="pick">
            <Mark model={head.candidate} candidate={head.candidate} />
            <select
              value={head.candidate}
              onChange={event =>
                void rpc.call('pair', { candidate: Number(event.currentTarget.value) }).catch((error: unknown) => dispatch({ type: 'problem', problem: problemOf(error) }))
              }
            >
              {head.models.map((name, model) => model > 0 && <option value={model}>{name}</option>)}
            </select>
          </label>
        )}
        {running && (
          <Button icon={icons.stop} disabled={state.busy} onClick={stop}>
            {c('stop')}
          </Button>
        )}
      </header>
      {running && <Bar share={head.total ? head.done / head.total : null} label={t('progress', { name: head.name })} square />}
    </>
  );
}

function Tools(props: Inner): VNode {
  const { head, state, dispatch } = props;
  const pair = head.models.length > 1;
  const { counts } = state;
  const choices: readonly (readonly [Filter, string])[] = pair
    ? [
        ['all', t('all')],
        ['different', t('different')],
        ['improved', t('improved')],
        ['regressions', t('regressions')],
        ['errors', t('errors')]
      ]
    : [
        ['all', t('all')],
        ...(head.scores.length ? [['wrong', t('wrong')] as const] : []),
        ['errors', t('errors')]
      ];
  return (
    <div class="bar">
      <Segments
        label={t('row')}
        chosen={state.filter}
        items={choices.map(([id, title]) => ({ id, title, ...(counts ? { count: format.integer(counts[id]) } : {}) }))}
        onChoose={filter => dispatch({ type: 'filter', filter })}
      />
      <span class="wb-row wb-push" style={{ flex: '0 1 auto' }}>
        <label class="wb-field">
          <Glyph icon={icons.search} />
          <input placeholder={t('search')} aria-label={t('search')} value={state.search} onInput={event => dispatch({ type: 'search', text: event.currentTarget.value })} />
        </label>
        {head.scores.length > 1 && (
          <label class="pick">
            {t('scoreChoice')}
            <select value={state.score} aria-label={t('scoreChoice')} onChange={event => dispatch({ type: 'score', score: event.currentTarget.value })}>
              {head.scores.map(score => (
                <option key={score.name} value={score.name}>
                  {score.title}
                </option>
              ))}
            </select>
          </label>
        )}
        <Button class="sq" icon={icons.down} label={t('csv')} onClick={() => download(props)} />
      </span>
    </div>
  );
}

function ScoreChip({ output, name, unit }: { output: Output | undefined; name: string; unit: string }): VNode {
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
function useRuns(row: Row, head: Head): readonly (readonly Run[])[] {
  const a = row.outputs[head.baseline]?.value ?? '';
  const b = row.outputs[head.candidate]?.value ?? '';
  return useMemo(() => {
    if (head.models.length < 2) return [[{ text: a, changed: false }]];
    const diff = a && b ? worddiff(a, b) : { a: [{ text: a, changed: false }], b: [{ text: b, changed: false }] };
    return [diff.a, diff.b];
  }, [a, b, head.models.length]);
}

function Said({ output, runs, removed, long = false }: { output: Output | undefined; runs: readonly Run[]; removed: boolean; long?: boolean }): VNode {
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

function DataRow({ row, props, open, at }: { row: Row; props: Inner; open: boolean; at: number }): VNode {
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

function Drawer({ row, props, at, count }: { row: Row; props: Inner; at: number; count: number }): VNode {
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

function SortHead({ by, state, dispatch, children, class: kind = '' }: { by: Sort; state: TableState; dispatch: Props['dispatch']; children: ComponentChildren; class?: string }): VNode {
  const on = state.sort === by && (by !== 'row' || state.descending);
  return (
    <span class={kind} role="columnheader" aria-sort={on ? (state.descending ? 'descending' : 'ascending') : 'none'}>
      <button type="button" onClick={() => dispatch({ type: 'sort', by })}>
        {children}
        {on && <Glyph icon={state.descending ? icons.chev : icons.up} />}
      </button>
    </span>
  );
}

function Heads({ head, state, dispatch }: Inner): VNode {
  const pair = head.models.length > 1;
  const title = head.scores.find(s => s.name === state.score)?.title ?? t('score');
  const sort = { state, dispatch };
  return (
    <div class="tr h" role="row">
      <SortHead by="row" class="wb-num" {...sort}>
        {t('row')}
      </SortHead>
      <SortHead by="input" {...sort}>
        {t('input')}
      </SortHead>
      <span class="x" role="columnheader">
        {t('expected')}
      </span>
      {pair ? (
        [head.baseline, head.candidate].map(model => (
          <span key={model} role="columnheader" class="wb-cut">
            <Mark model={model} candidate={head.candidate} /> {head.models[model]}
          </span>
        ))
      ) : (
        <span role="columnheader">{t('output')}</span>
      )}
      <SortHead by="score" class="wb-cut" {...sort}>
        {title}
      </SortHead>
      <SortHead by="latency" class="x wb-num" {...sort}>
        {times.ms}
        {pair ? ' (B)' : ''}
      </SortHead>
      {!pair && (
        <span class="x wb-num" role="columnheader">
          {t('tokens')}
        </span>
      )}
    </div>
  );
}

function Nothing({ head, state, dispatch }: Inner): VNode {
  const running = head.state === 'running' && state.filter === 'all' && !state.search;
  const score = head.scores.find(s => s.name === state.score)?.title ?? '';
  const [title, hint] = state.search
    ? [t('noneMatch'), t('noneMatchHint', { search: state.search })]
    : state.filter === 'errors'
      ? [t('noneErrors'), t('noneErrorsHint')]
      : state.filter === 'regressions'
        ? [t('noneRegressions', { score }), t('noneRegressionsHint', { model: head.models[head.candidate] ?? '', baseline: head.models[head.baseline] ?? '' })]
        : [t('noneWhat'), ''];
  return (
    <div class="none">
      {running ? <p class="wb-s wb-2">{t('noneYet')}</p> : <p class="wb-b">{title}</p>}
      {!running && <p class="wb-s wb-2">{hint}</p>}
      {!running && (state.filter !== 'all' || state.search) && (
        <Button
          onClick={() => {
            dispatch({ type: 'search', text: '' });
            dispatch({ type: 'filter', filter: 'all' });
          }}
        >
          {t('showAll')}
        </Button>
      )}
    </div>
  );
}

function Table(props: Inner): VNode {
  const { head, state, dispatch } = props;
  const rows = shown(state);
  const kept = useRef<readonly Row[]>([]);
  if (rows) kept.current = rows;
  const list = rows ?? kept.current;
  const { total } = state.pages;
  const from = state.page * PAGE;
  if (rows && !rows.length && !total) return <Nothing {...props} />;
  return (
    <div role="table" aria-label={head.name} aria-rowcount={total} class={head.models.length > 1 ? '' : 'one'}>
      <div class={`body ${rows ? '' : 'wait'}`}>
        <Heads {...props} />
        {list.map((row, i) => (
          <Fragment key={row.index}>
            <DataRow row={row} props={props} open={row.index === state.open} at={i} />
            {row.index === state.open && <Drawer row={row} props={props} at={from + i} count={total} />}
          </Fragment>
        ))}
      </div>
      <div class="end">
        <span>{t('rowsShown', { from: format.integer(total ? from + 1 : 0), to: format.integer(Math.min(total, from + PAGE)), total: format.integer(total) })}</span>
        {pageCount(state) > 1 && (
          <span class="wb-row wb-push" style={{ gap: 0 }}>
            <Button class="ghost sq s quiet left" icon={icons.right} label={t('previousPage')} disabled={state.page === 0} onClick={() => dispatch({ type: 'page', page: state.page - 1 })} />
            <Button class="ghost sq s quiet" icon={icons.right} label={t('nextPage')} disabled={state.page >= pageCount(state) - 1} onClick={() => dispatch({ type: 'page', page: state.page + 1 })} />
          </span>
        )}
      </div>
    </div>
  );
}

export function View(props: Props): VNode | null {
  const { state, dispatch } = props;
  const { head } = state;
  if (!head) return null;
  const inner = { ...props, head };
  return (
    <section class="wb-card" aria-label={t('card', { name: head.name })}>
      <HeadRow {...inner} />
      <Cards head={head} />
      {state.problem && (
        <div style={{ padding: '8px 12px' }}>
          <ProblemNote problem={state.problem} dismiss={c('dismiss')} onDismiss={() => dispatch({ type: 'problem', problem: null })} />
        </div>
      )}
      <Tools {...inner} />
      <Table {...inner} />
    </section>
  );
}
