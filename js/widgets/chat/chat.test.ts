import assert from 'node:assert/strict';
import { test } from 'node:test';
import { highlight } from './highlight';
import { EMPTY, busy, reduce } from './state';
import type { Answer, ChatState, Exchange, Update } from './state';

const answer = (run: string, more: Partial<Answer> = {}): Answer => ({
  model: 0, run, state: 'waiting', text: '', think: '', first_token: null, total: null, speed: null, tokens: null, cut: false, error: null, ...more
});
const exchange = (id: string, ...answers: Answer[]): Exchange => ({ id, text: `question ${id}`, answers });
const news = (state: ChatState, update: Update): ChatState => reduce(state, { type: 'update', update, whole: false });

test('pieces go to the answer they belong to', () => {
  let state = news(EMPTY, { rev: 1, exchange: exchange('q', answer('a'), answer('b', { model: 1 })) });
  state = news(state, { rev: 2, pieces: [{ run: 'a', text: 'He', think: '' }, { run: 'b', text: '', think: 'hm' }] });
  state = news(state, { rev: 3, pieces: [{ run: 'a', text: 'llo', think: '' }] });
  const [a, b] = state.exchanges[0]?.answers ?? [];
  assert.deepEqual([a?.text, a?.state, b?.text, b?.think], ['Hello', 'writing', '', 'hm']);
  assert.equal(busy(state), true);
});

test('the end of an answer replaces it whole', () => {
  let state = news(EMPTY, { rev: 1, exchange: exchange('q', answer('a')) });
  state = news(state, { rev: 2, exchange: exchange('q', answer('a', { state: 'done', text: 'Hello' })) });
  assert.equal(state.exchanges.length, 1);
  assert.equal(busy(state), false);
});

test('missed news are noticed, old news and old snapshots are dropped', () => {
  const state = news(EMPTY, { rev: 1, exchange: exchange('q', answer('a')) });
  assert.equal(news(state, { rev: 3, exchanges: [] }).gap, true);
  assert.equal(news(state, { rev: 1, exchanges: [] }), state);
  assert.equal(reduce(state, { type: 'update', update: { rev: 0, exchanges: [] }, whole: true }), state);
  const whole = reduce({ ...state, gap: true }, { type: 'update', update: { rev: 7, exchanges: [exchange('z')] }, whole: true });
  assert.deepEqual([whole.revision, whole.gap, whole.exchanges[0]?.id], [7, false, 'z']);
});

test('code is cut into keywords, strings and comments and joins to itself', () => {
  const code = 'from shop import Orders  # here\nprint("if")';
  const tokens = highlight(code, 'python');
  assert.equal(tokens.map(t => t.text).join(''), code);
  assert.deepEqual(tokens.filter(t => t.kind).map(t => [t.kind, t.text]), [
    ['keyword', 'from'], ['keyword', 'import'], ['comment', '# here'], ['keyword', 'print'], ['string', '"if"']
  ]);
  assert.deepEqual(highlight(code, 'brainfuck'), [{ text: code, kind: null }]);
});
