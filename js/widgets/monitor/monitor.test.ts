import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrainData } from './data';
import { around, evenTicks, logTicks, share, tickLabels } from './scale';
import { initial, reduce } from './state';
import type { JobView, MonitorState, Update } from './state';

const NAMES = ['step', 'epoch', 'time', 'loss', 'eval_loss', 'learning_rate'];

/** Rows as the kernel sends them: one column after the other. */
function rows(...steps: readonly (readonly [number, number, number])[]): DataView {
  const columns = [
    steps.map(([s]) => s),
    steps.map(([s]) => s / 10),
    steps.map(([s]) => 1000 + s),
    steps.map(([, l]) => l),
    steps.map(([, , e]) => e),
    steps.map(() => 1e-4)
  ];
  return new DataView(Float64Array.from(columns.flat()).buffer);
}

function update(state: MonitorState, from: number, values: DataView, count: number, more: Update = {}): MonitorState {
  return reduce(state, { type: 'update', update: { gen: 1, from, count, names: NAMES, ...more }, values, at: 0 });
}

const start = (): MonitorState => initial({ gen: 1 }, null, 0);

test('rows become the train and eval curves, and the best eval is known', () => {
  const data = new TrainData(0);
  const values = new Float64Array(rows([1, 2, NaN], [2, 1.5, 1.8], [3, NaN, 1.6], [4, 1, 1.9]).buffer);
  data.append(NAMES, values, 4);
  assert.deepEqual([...data.train.x.view()], [1, 2, 4]);
  assert.deepEqual([...data.eval.x.view()], [2, 3, 4]);
  assert.deepEqual(data.bestEval, { step: 3, value: 1.6, after: 1 });
  assert.equal(data.lastStep, 4);
  assert.deepEqual(data.evalAt(3.5), { step: 3, value: 1.6 });
  assert.equal(data.evalAt(1), null);
  assert.equal(data.stepTime, 1);
  assert.equal(data.other('learning_rate')?.length, 4);
});

test('rows that come twice are taken once', () => {
  let state = update(start(), 0, rows([1, 2, NaN], [2, 1, NaN]), 2);
  state = update(state, 0, rows([1, 2, NaN], [2, 1, NaN], [3, 0.5, NaN]), 3);
  state = update(state, 1, rows([2, 1, NaN]), 1);
  assert.deepEqual([...state.data.train.x.view()], [1, 2, 3]);
  assert.equal(state.gap, false);
});

test('missed rows are noticed', () => {
  const state = update(start(), 5, rows([6, 1, NaN]), 1);
  assert.equal(state.gap, true);
  assert.equal(state.data.count, 0);
});

test('another generation begins anew', () => {
  const before = update(start(), 0, rows([1, 2, NaN]), 1, { log: 'old\n', log_at: 0 });
  const after = update(before, 0, rows([9, 1, NaN]), 1, { gen: 2, log: 'new\n', log_at: 0 });
  assert.deepEqual([...after.data.train.x.view()], [9]);
  assert.equal(after.log, 'new\n');
});

test('log text that overlaps is joined', () => {
  let state = reduce(start(), { type: 'update', update: { log: 'one\ntwo\n', log_at: 0 }, values: null, at: 0 });
  state = reduce(state, { type: 'update', update: { log: 'two\nthree\n', log_at: 4 }, values: null, at: 0 });
  assert.equal(state.log, 'one\ntwo\nthree\n');
});

test('the chart stays in sight when the run that was watched ends', () => {
  const job = { state: 'running', kind: 'finetune' } as unknown as JobView;
  const running = reduce(start(), { type: 'update', update: { job }, values: null, at: 0 });
  assert.equal(running.tab, null);
  const ended = reduce(running, { type: 'update', update: { job: { ...job, state: 'succeeded' } }, values: null, at: 0 });
  assert.equal(ended.tab, 'loss');
});

test('ticks are round, few, and their labels share digits', () => {
  assert.deepEqual(evenTicks(0.8, 2.4, 4), [1, 1.5, 2]);
  assert.deepEqual(evenTicks(0, 412, 5), [0, 100, 200, 300, 400]);
  assert.deepEqual(tickLabels([0.5, 1, 1.5]), ['0.5', '1.0', '1.5']);
  assert.deepEqual(logTicks(0.05, 20, 5), [0.1, 0.3, 1, 3, 10]);
  assert.deepEqual(logTicks(0.0005, 2000, 4), [0.001, 0.1, 10, 1000]);
  assert.ok(logTicks(0.9, 1.2, 5).length >= 2);
});

test('a scale holds everything, also one value or none', () => {
  assert.deepEqual(around(0.83, 2.3, false), { from: 0.5, to: 2.5, log: false });
  const one = around(2, 2, false);
  assert.ok(one.from < 2 && one.to > 2);
  assert.equal(around(Infinity, -Infinity, false).to, 1);
  const log = around(0.01, 10, true);
  assert.ok(log.from < 0.01 && log.to > 10 && Math.abs(share(log, Math.sqrt(log.from * log.to)) - 0.5) < 1e-9);
});
