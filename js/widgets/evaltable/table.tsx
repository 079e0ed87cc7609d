/** @jsx h */
/** @jsxFrag Fragment */
/** The page of rows in sight. */
import { Fragment, h } from 'preact';
import type { ComponentChildren, VNode } from 'preact';
import { useRef } from 'preact/hooks';
import * as format from '../../common/format';
import * as icons from '../../common/icons';
import { Button, Glyph } from '../../common/parts/button';
import { Mark } from './cards';
import { DataRow, Drawer } from './row';
import { t, times } from './shared';
import type { Inner, Props } from './shared';
import { PAGE, pageCount, shown } from './state';
import type { Row, Sort, TableState } from './state';

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

export function Table(props: Inner): VNode {
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
