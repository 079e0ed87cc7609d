import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Column, float64 } from './columns';
import * as format from './format';
import { arrived, noPages, rowAt, stale, want, withQuery } from './paging';
import { Rpc, RpcError, problemOf } from './rpc';
import { Ema, thin } from './smooth';
import { Store } from './state';
import { worddiff } from './worddiff';
import type { Run } from './worddiff';

const words = { ms: 'ms', s: 's', min: 'min', h: 'h', d: 'd' };
const marked = (runs: readonly Run[]): string => runs.map(run => (run.changed ? `[${run.text}]` : run.text)).join('');

test('numbers have commas, a true minus sign and a dash for none', () => {
  assert.equal(format.integer(1234567), '1,234,567');
  assert.equal(format.integer(-4), '−4');
  assert.equal(format.integer(null), '–');
  assert.equal(format.fixed(NaN, 2), '–');
  assert.equal(format.signed(12.44, 1), '+12.4');
  assert.equal(format.signed(-5.7, 1), '−5.7');
  assert.equal(format.signed(0.001, 1), '0.0');
  assert.equal(format.percent(0.786, 1), '78.6%');
});

test('a loss shows the digits that matter', () => {
  assert.deepEqual([0.992, 12.345, 123.45, 4567.8, 0.00123, 0].map(format.loss), ['0.992', '12.35', '123.5', '4,568', '1.23e-3', '0.000']);
  assert.deepEqual([1.53e-4, 2e-4, 1e-5, 0].map(format.scientific), ['1.53e-4', '2e-4', '1e-5', '0']);
});

test('times are said in the largest units that fit, estimates coarsely', () => {
  assert.equal(format.duration(0.042, words), '42 ms');
  assert.equal(format.duration(2.62, words), '2.62 s');
  assert.equal(format.duration(1079, words), '17 min 59 s');
  assert.equal(format.duration(11040, words), '3 h 04 min');
  assert.equal(format.duration(2 * 86400 + 6 * 3600, words), '2 d 06 h');
  assert.equal(format.estimate(22, words), '20 s');
  assert.equal(format.estimate(2060, words), '34 min');
  assert.equal(format.elapsed(3.9, words), '3 s');
});

test('two sizes can share a unit', () => {
  const total = 8.1 * 1024 ** 3;
  assert.deepEqual(format.size(5 * 1024 ** 3, total), { value: '5', unit: 'GiB' });
  assert.equal(format.bytes(total), '8.1 GiB');
  assert.equal(format.bytes(0), '0 B');
});

test('a column grows and reads a buffer that starts anywhere', () => {
  const column = new Column(1);
  for (let i = 0; i < 1000; i++) column.push(i);
  assert.equal(column.length, 1000);
  assert.equal(column.last(), 999);
  assert.ok(Number.isNaN(column.at(1000)));
  const bytes = new Uint8Array(8 + 16);
  bytes.set(new Uint8Array(new Float64Array([1.5, -2]).buffer), 4);
  assert.deepEqual([...float64(new DataView(bytes.buffer, 4, 16))], [1.5, -2]);
});

test('smoothing goes on where it was and starts anew with another weight', () => {
  const source = new Column();
  [4, 2, 2].forEach(v => source.push(v));
  const ema = new Ema(0.5);
  ema.extend(source);
  assert.deepEqual([...ema.out.view()], [4, 3, 2.5]);
  source.push(0.5);
  ema.extend(source);
  assert.deepEqual([...ema.out.view()], [4, 3, 2.5, 1.5]);
  ema.reweigh(0, source);
  assert.deepEqual([...ema.out.view()], [4, 2, 2, 0.5]);
});

test('thinning keeps the last value and at most the count', () => {
  const values = Float64Array.from({ length: 10_000 }, (_, i) => i);
  const small = thin(values, 50);
  assert.equal(small.length, 50);
  assert.equal(small[49], 9999);
  assert.deepEqual(thin(Float64Array.of(1, 2), 50), [1, 2]);
});

test('a word diff marks what the other text has not, and joins to the texts', () => {
  const a = 'You can return it within 60 days for store credit.';
  const b = 'You can return it within 30 days for a refund.';
  const diff = worddiff(a, b);
  assert.equal(marked(diff.a), 'You can return it within [60] days for [store credit].');
  assert.equal(marked(diff.b), 'You can return it within [30] days for [a refund].');
  assert.equal(diff.a.map(run => run.text).join(''), a);
});

test('a word diff goes sign by sign in Chinese and leaves two different texts alone', () => {
  assert.equal(marked(worddiff('今天下雨', '今天下雪').b), '今天下[雪]');
  assert.equal(marked(worddiff('alpha beta gamma', 'one two three four five').a), 'alpha beta gamma');
  assert.equal(marked(worddiff('', 'new').b), 'new');
  assert.equal(marked(worddiff('same', 'same').a), 'same');
});

test('only missing and old pages are asked for, once', () => {
  const first = want(withQuery(noPages<number>(10), 'q'), 0, 20);
  assert.deepEqual(first.ask, [0, 1]);
  assert.deepEqual(want(first.pages, 0, 20).ask, []);
  const filled = arrived(first.pages, 'q', 0, [7], 11);
  assert.equal(rowAt(filled, 0), 7);
  assert.equal(filled.total, 11);
  const old = stale(filled);
  assert.equal(rowAt(old, 0), 7, 'what is shown stays');
  assert.deepEqual(want(old, 0, 10).ask, [0]);
});

test('an answer to an earlier query is dropped', () => {
  const pages = withQuery(withQuery(noPages<number>(10), 'a'), 'b');
  assert.equal(arrived(pages, 'a', 0, [1], 1), pages);
});

test('a question gets its own answer, an error with cause and fix, and silence ends in one', async () => {
  const sent: Record<string, unknown>[] = [];
  const rpc = new Rpc(
    message => sent.push(message),
    () => ({ what: 'nobody', cause: '', fix: '' })
  );
  const one = rpc.call<string>('one', { x: 1 });
  const two = rpc.call('two');
  const three = rpc.call('three', {}, 0.01);
  assert.equal(rpc.receive({ kind: 'update' }, []), false);
  assert.equal(rpc.receive({ kind: 'reply', id: sent[1]?.['id'], error: { what: 'no', cause: 'c', fix: 'f' } }, []), true);
  rpc.receive({ kind: 'reply', id: sent[0]?.['id'], result: 'yes' }, []);
  assert.equal((await one).result, 'yes');
  await assert.rejects(two, (e: unknown) => e instanceof RpcError && e.problem.fix === 'f');
  await assert.rejects(three, (e: unknown) => problemOf(e).what === 'nobody');
});

test('a store tells its listeners of changes only', () => {
  const store = new Store<number, number>((state, by) => (by ? state + by : state), 1);
  let calls = 0;
  const end = store.subscribe(() => calls++);
  store.dispatch(0);
  store.dispatch(2);
  end();
  store.dispatch(3);
  assert.deepEqual([store.state, calls], [6, 1]);
});
