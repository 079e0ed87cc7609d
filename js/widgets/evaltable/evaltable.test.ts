import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMPTY, pageCount, query, reduce, shown } from './state';
import type { Counts, Head, Row, TableState } from './state';

const counts: Counts = { all: 120, different: 1, regressions: 1, improved: 0, wrong: 3, errors: 0 };
const head = (more: Partial<Head> = {}): Head => ({
  rev: 1, id: 'e', name: 'e', state: 'running', models: ['a', 'b'], baseline: 0, candidate: 1, total: 200, done: 10, errors: 0, elapsed: 1, eta: null,
  scores: [{ name: 'exact', title: 'Exact', unit: '%' }], summary: [], ...more
});
const row = (index: number): Row => ({ index, input: '', expected: null, outputs: [] });

function filled(): TableState {
  const state = reduce(EMPTY, { type: 'head', head: head() });
  return reduce(state, { type: 'rows', query: state.pages.query, page: 0, rows: [row(0)], total: 120, counts });
}

test('the first score is chosen, and the query says what is asked for', () => {
  const state = filled();
  assert.deepEqual(query(state), { filter: 'all', score: 'exact', search: '', sort: 'row', descending: false });
  assert.equal(pageCount(state), 3);
});

test('another filter asks anew and closes what was open', () => {
  const state = reduce(reduce(filled(), { type: 'open', index: 0 }), { type: 'filter', filter: 'regressions' });
  assert.deepEqual([shown(state), state.open, state.page], [undefined, null, 0]);
});

test('more rows keep those in sight until they are fetched again', () => {
  const state = reduce(filled(), { type: 'head', head: head({ rev: 2, done: 20 }) });
  assert.equal(shown(state)?.[0]?.index, 0);
  assert.ok(state.pages.old.has(0));
});

test('news that are older than what is known are dropped', () => {
  const state = reduce(filled(), { type: 'head', head: head({ rev: 3, done: 30 }) });
  assert.equal(reduce(state, { type: 'head', head: head({ rev: 2 }) }), state);
});

test('a column sorts up, then down, then not', () => {
  const by = (state: TableState): TableState => reduce(state, { type: 'sort', by: 'score' });
  const one = by(filled());
  const two = by(one);
  const three = by(two);
  assert.deepEqual([one, two, three].map(s => [s.sort, s.descending]), [['score', false], ['score', true], ['row', false]]);
});

test('the details of a row that is no longer open are dropped', () => {
  const state = reduce(filled(), { type: 'detail', row: row(5) });
  assert.equal(state.detail, null);
});
