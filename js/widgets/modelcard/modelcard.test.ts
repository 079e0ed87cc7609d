import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tiles } from './numbers';
import { said } from './start';
import type { Card, Load } from './state';
import { EMPTY, reduce } from './state';

const GB = 1 << 30;
const CARD: Card = {
  name: 'm',
  state: 'running',
  hosted: false,
  restarting: false,
  engine: 'vllm',
  type: 'llm',
  reason: '',
  details: { ttl: 0, restarts: 0, context: 0, quantization: '', template: '', adapters: 0 },
  fit: null,
  base: 'm',
  meta: null,
  steps: [],
  log: '',
  progress: null,
  started_at: 0,
  now: 1,
  failure: null,
  problem: null,
  endpoint: '',
  code: '',
  call: '',
  answers: { count: 3, failed: 0, first_token: 0.042, first_tokens: [0.04, 0.05], speed: 118, speeds: [118] },
  load: null,
  memory: [11 * GB],
  memory_total: 64 * GB,
  actions: []
};
const LOAD: Load = { running: 3, waiting: 2, cache: 0.42, speed: 1184, requests: 320, rate: 1.4, lines: { running: [1, 3], cache: [0.4], speed: [900, 1184], rate: [1] } };
const titles = (card: Card): readonly string[] => tiles(card).map(tile => tile.title);

test("the engine's own numbers come before those of this notebook", () => {
  assert.deepEqual(titles({ ...CARD, load: LOAD }), ['Tokens/s, all users', 'Requests now', 'Cache in use', 'First token, median', 'Memory']);
  const [speed, requests, cache] = tiles({ ...CARD, load: LOAD });
  assert.deepEqual([speed?.value, requests?.value, requests?.unit, cache?.value], ['1,184', '3', '2 waiting', '42%']);
  assert.equal(cache?.to, 1);
});

test('where the engine tells nothing the answers of this notebook are shown', () => {
  assert.deepEqual(titles(CARD), ['First token, median', 'Speed, per answer', 'Answers, 5 min', 'Memory']);
});

test('a model that writes nothing has requests per second and no tokens', () => {
  const shown = tiles({ ...CARD, type: 'embed', load: { ...LOAD, speed: null, cache: null } });
  assert.deepEqual(shown.map(tile => tile.title), ['Requests per second', 'Requests now', 'Vectors, 5 min', 'Memory']);
  assert.equal(shown[0]?.unit, 'asked 320 ×');
});

test('what a model that does not chat gave is counted under its own word', () => {
  const answers = { ...CARD.answers, count: 10_000, failed: 2, first_token: null, speed: null };
  const of = (type: string): readonly string[] => tiles({ ...CARD, type, answers, memory: [] }).map(tile => `${tile.title}: ${tile.value} ${tile.unit}`);
  assert.deepEqual(of('embed'), ['Vectors, 5 min: 10,000 2 failed']);
  assert.deepEqual(['rerank', 'stt', 'tts', 'sd'].flatMap(of).map(text => text.split(',')[0]), ['Rankings', 'Transcripts', 'Recordings', 'Pictures']);
});

test('an engine that counts nothing but tokens shows those', () => {
  assert.deepEqual(titles({ ...CARD, load: { ...LOAD, requests: null, rate: null, running: null, cache: null } }), [
    'Tokens/s, all users',
    'First token, median',
    'Memory'
  ]);
});

test('a step says how far it is, and at its end how long it took', () => {
  const now = { title: 'Loading the weights', state: 'now', seconds: null } as const;
  const of = (done: number, total: number, unit: string): Card['progress'] => ({ done, total, unit, eta: null });
  assert.equal(said(now, of(6, 17, 'shards')), '6 / 17 shards');
  assert.equal(said(now, of(40, 100, '%')), '40%');
  assert.equal(said(now, of(5 * GB, 8 * GB, 'bytes')), '5 / 8 GiB');
  assert.equal(said(now, null), '');
  assert.equal(said({ title: 'x', state: 'done', seconds: 8.4 }, of(1, 2, 'shards')), '8.40 s');
  assert.equal(said({ title: 'x', state: 'done', seconds: 0.2 }, null), '');
});

test('an older card does not replace a newer one', () => {
  const newer = reduce(EMPTY, { type: 'card', card: { ...CARD, now: 5 }, at: 0 });
  assert.equal(reduce(newer, { type: 'card', card: { ...CARD, now: 4, name: 'old' }, at: 1 }).card?.name, 'm');
});
