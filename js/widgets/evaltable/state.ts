/** What the table knows and how it changes. Rows are the kernel's; here are the pages of them that were fetched. */
import { arrived, noPages, stale, withQuery } from '../../common/paging';
import type { Pages } from '../../common/paging';
import type { Problem } from '../../common/rpc';

export type Verdict = 'better' | 'worse' | 'same' | 'inconclusive';
export type Filter = 'all' | 'different' | 'regressions' | 'improved' | 'wrong' | 'errors';
export type Sort = 'row' | 'input' | 'score' | 'latency';
type Interval = readonly [number, number];

export interface Summary {
  readonly scorer: string;
  readonly title: string;
  readonly unit: string;
  readonly means: readonly (number | null)[];
  readonly intervals: readonly (Interval | null)[];
  readonly difference: number | null;
  readonly difference_interval: Interval | null;
  readonly p_value: number | null;
  readonly verdict: Verdict | null;
  readonly improved: number;
  readonly regressed: number;
  readonly rows_to_settle: number | null;
  readonly margin: number | null;
}

export interface Head {
  readonly rev: number;
  readonly id: string;
  readonly name: string;
  readonly state: 'running' | 'finished' | 'cancelled';
  readonly models: readonly string[];
  readonly baseline: number;
  readonly candidate: number;
  readonly total: number;
  readonly done: number;
  readonly errors: number;
  readonly elapsed: number;
  readonly eta: number | null;
  readonly scores: readonly { readonly name: string; readonly title: string; readonly unit: string }[];
  readonly summary: readonly Summary[];
}

export interface Output {
  readonly value: string;
  readonly error: string;
  readonly skipped: boolean;
  readonly latency: number | null;
  readonly first_token: number | null;
  readonly tokens: number;
  readonly scores: Readonly<Record<string, number | null>>;
  readonly notes: Readonly<Record<string, string>>;
}

export interface Row {
  readonly index: number;
  readonly input: string;
  readonly expected: string | null;
  readonly outputs: readonly Output[];
  readonly accept?: readonly string[];
}

export type Counts = Readonly<Record<Filter, number>>;

export interface TableState {
  readonly head: Head | null;
  readonly pages: Pages<Row>;
  readonly counts: Counts | null;
  readonly filter: Filter;
  readonly score: string;
  readonly search: string;
  readonly sort: Sort;
  readonly descending: boolean;
  readonly page: number;
  readonly open: number | null;
  readonly detail: Row | null;
  readonly busy: boolean;
  readonly problem: Problem | null;
}

export type TableAction =
  | { readonly type: 'head'; readonly head: Head }
  | { readonly type: 'wanted'; readonly pages: Pages<Row> }
  | { readonly type: 'rows'; readonly query: string; readonly page: number; readonly rows: readonly Row[]; readonly total: number; readonly counts: Counts }
  | { readonly type: 'filter'; readonly filter: Filter }
  | { readonly type: 'score'; readonly score: string }
  | { readonly type: 'search'; readonly text: string }
  | { readonly type: 'sort'; readonly by: Sort }
  | { readonly type: 'page'; readonly page: number }
  | { readonly type: 'open'; readonly index: number | null }
  | { readonly type: 'detail'; readonly row: Row }
  | { readonly type: 'busy'; readonly on: boolean }
  | { readonly type: 'problem'; readonly problem: Problem | null };

export const PAGE = 50;

export const EMPTY: TableState = {
  head: null,
  pages: noPages(PAGE),
  counts: null,
  filter: 'all',
  score: '',
  search: '',
  sort: 'row',
  descending: false,
  page: 0,
  open: null,
  detail: null,
  busy: false,
  problem: null
};

/** What is asked of the kernel; the same text is the same question. */
export function query(state: TableState): Record<string, unknown> {
  const { filter, score, search, sort, descending } = state;
  return { filter, score, search: search.trim(), sort, descending };
}

function asked(state: TableState): TableState {
  const text = JSON.stringify([query(state), state.head?.candidate]);
  return { ...state, pages: withQuery(state.pages, text), page: 0, open: null, detail: null };
}

export function reduce(state: TableState, action: TableAction): TableState {
  switch (action.type) {
    case 'head': {
      const was = state.head;
      if (was && action.head.rev < was.rev) return state;
      const score = state.score || (action.head.scores[0]?.name ?? '');
      const next = { ...state, head: action.head, score, busy: action.head.state === 'running' && state.busy };
      if (was?.candidate !== action.head.candidate) return asked(next);
      return { ...next, pages: was.done === action.head.done && was.state === action.head.state ? state.pages : stale(state.pages) };
    }
    case 'wanted':
      return { ...state, pages: action.pages };
    case 'rows':
      return {
        ...state,
        pages: arrived(state.pages, action.query, action.page, action.rows, action.total),
        counts: action.query === state.pages.query ? action.counts : state.counts
      };
    case 'filter':
      return asked({ ...state, filter: action.filter });
    case 'score':
      return asked({ ...state, score: action.score });
    case 'search':
      return asked({ ...state, search: action.text });
    case 'sort':
      // Pressed again it turns round; a third time the rows stand as they came.
      if (state.sort !== action.by) return asked({ ...state, sort: action.by, descending: action.by === 'latency' });
      return state.descending === (action.by === 'latency')
        ? asked({ ...state, descending: !state.descending })
        : asked({ ...state, sort: 'row', descending: false });
    case 'page':
      return { ...state, page: Math.max(0, action.page), open: null, detail: null };
    case 'open':
      return { ...state, open: action.index, detail: state.detail?.index === action.index ? state.detail : null };
    case 'detail':
      return action.row.index === state.open ? { ...state, detail: action.row } : state;
    case 'busy':
      return { ...state, busy: action.on };
    case 'problem':
      return { ...state, problem: action.problem, busy: false };
  }
}

export function pageCount(state: TableState): number {
  return Math.max(1, Math.ceil(state.pages.total / state.pages.size));
}

/** The rows of the page in sight; undefined while they are fetched. */
export function shown(state: TableState): readonly Row[] | undefined {
  return state.pages.rows.get(state.page);
}
