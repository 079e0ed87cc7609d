/** The evaluation table; its Python half is workbench/widgets/evaltable.py. */
import charts from '../common/css/charts.css';
import controls from '../common/css/controls.css';
import { want } from '../common/paging';
import { problemOf } from '../common/rpc';
import { widget } from '../common/widget';
import css from './evaltable/evaltable.css';
import { EMPTY, PAGE, query, reduce } from './evaltable/state';
import type { Counts, Head, Row, TableAction, TableState } from './evaltable/state';
import { View } from './evaltable/view';

interface Answer {
  readonly total: number;
  readonly counts: Counts;
  readonly rows: readonly Row[];
}

const headOf = (message: Record<string, unknown>): TableAction => ({ type: 'head', head: message['head'] as Head });

export default widget<TableState, TableAction>({
  name: 'evaltable',
  css: charts + controls + css,
  initial: snapshot => (snapshot['head'] ? reduce(EMPTY, headOf(snapshot)) : EMPTY),
  reduce,
  receive: headOf,
  /** The page in sight, and the one after it. */
  effects: (state, rpc, dispatch) => {
    if (!state.head || !state.pages.query) return;
    const first = state.page * PAGE;
    const last = Math.min(first + 2 * PAGE, Math.max(state.pages.total, first + PAGE));
    const { pages, ask } = want(state.pages, first, last);
    if (!ask.length) return;
    dispatch({ type: 'wanted', pages });
    for (const page of ask) {
      rpc.call<Answer>('rows', { ...query(state), start: page * PAGE, stop: (page + 1) * PAGE }).then(
        ({ result }) => dispatch({ type: 'rows', query: pages.query, page, ...result }),
        (error: unknown) => dispatch({ type: 'problem', problem: problemOf(error) })
      );
    }
  },
  View
});
