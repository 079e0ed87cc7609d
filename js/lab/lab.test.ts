import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deploymentCode, isFunction, jobCode, modelCode, quoted } from './code';
import { describeDeployment, describeModel, describeRun, left, when } from './describe';
import { LogText } from './logtext';
import { cut, deployments, EMPTY, reduce, runs } from './state';
import type { Job, LocalModel } from './types';

const NOW = 1_000_000;

const job = (given: Partial<Job> = {}): Job => ({
  id: 'abc',
  kind: 'finetune',
  backend: 'llamafactory',
  name: 'run',
  parent: '',
  state: 'running',
  stopping: false,
  created_at: NOW - 120,
  started_at: NOW - 100,
  ended_at: null,
  progress: { phase: '', text: '', done: null, total: null, unit: '', eta: null },
  failure: null,
  step: null,
  max_steps: null,
  model: 'pocket',
  call: '',
  code: '',
  url: '',
  target: '',
  curve: [],
  values: {},
  revision: 1,
  ...given
});

test('news that come late do not undo what is known', () => {
  const now = reduce({ ...EMPTY, jobs: [job({ revision: 5, step: 50 })] }, { type: 'changed', jobs: [job({ revision: 4, step: 40 })] });
  assert.equal(now.jobs[0].step, 50);
  const then = reduce(now, { type: 'changed', jobs: [job({ revision: 5, state: 'lost' })] });
  assert.equal(then.jobs[0].state, 'lost', 'lost is told without a new revision');
});

test('a new job goes first, and what is at work goes before what has ended', () => {
  const ended = job({ id: 'new', state: 'succeeded', created_at: NOW });
  const state = reduce({ ...EMPTY, jobs: [job()] }, { type: 'changed', jobs: [ended] });
  assert.deepEqual(
    state.jobs.map(j => j.id),
    ['new', 'abc']
  );
  assert.deepEqual(
    runs(state).map(j => j.id),
    ['abc', 'new']
  );
});

test('a failed deployment is shown for a day, unless it was started again', () => {
  const failed = job({ id: 'f', kind: 'deploy', state: 'failed', ended_at: NOW - 60 });
  const again = job({ id: 'g', kind: 'deploy', created_at: NOW });
  const ids = (jobs: readonly Job[], now = NOW): string[] => deployments({ ...EMPTY, jobs }, now).map(j => j.id);
  assert.deepEqual(ids([failed]), ['f']);
  assert.deepEqual(ids([again, failed]), ['g']);
  assert.deepEqual(ids([failed], NOW + 100_000), []);
  assert.deepEqual(ids([job({ kind: 'deploy', state: 'cancelled' })]), []);
});

test('a run says how far it is and what is left', () => {
  const line = describeRun(job({ step: 412, max_steps: 1200, started_at: NOW - 412 }), NOW);
  assert.equal(line.note, '34%');
  assert.equal(line.detail, 'step 412 / 1,200, about 13 min left');
  assert.equal(left(job({ step: 0, max_steps: 10 }), NOW), null);
});

test('an end says how it went', () => {
  const ended = { ended_at: NOW - 20 * 60 } as const;
  assert.deepEqual(
    [
      describeRun(job({ ...ended, state: 'succeeded', values: { loss: 1, eval_loss: 1.163 } }), NOW),
      describeRun(job({ ...ended, state: 'failed', failure: { cause: 'GPU 0 out of memory.\nmore', fix: 'Halve the batch.', log_tail: '' } }), NOW),
      describeRun(job({ ...ended, state: 'cancelled', step: 3, max_steps: 9 }), NOW)
    ].map(l => [l.tone, l.note, l.detail]),
    [
      ['ok', '20 min ago', 'finished, eval loss 1.163'],
      ['err', '20 min ago', 'failed, GPU 0 out of memory'],
      ['idle', '20 min ago', 'stopped at step 3 / 9']
    ]
  );
});

test('what starts says what it does and how far', () => {
  const progress = { phase: 'environment', text: 'installing torch', done: 62, total: 100, unit: '%', eta: null };
  assert.deepEqual(
    ['note', 'detail'].map(key => describeDeployment(job({ kind: 'deploy', state: 'preparing', progress }), null, NOW)[key as 'note']),
    ['62%', 'starting, installing torch']
  );
});

test('what is started again and what ended because nobody asked are told', () => {
  const progress = { phase: 'restart', text: 'llama.cpp was killed; starting again in 1 s (1 of 3)', done: 1, total: null, unit: '', eta: null };
  const again = describeDeployment(job({ kind: 'deploy', state: 'preparing', url: 'http://127.0.0.1:1/v1', progress }), null, NOW);
  assert.deepEqual([again.note, again.detail], ['', `restarting, ${progress.text}`]);
  const idle = { ...progress, phase: 'idle', text: 'Nobody has asked for 10 minutes.' };
  assert.equal(describeDeployment(job({ kind: 'deploy', state: 'succeeded', progress: idle }), null, NOW).detail, idle.text);
});

test('a deployment that is asked says so, and one that does not answer warns', () => {
  const up = job({ kind: 'deploy', backend: 'llama_cpp', url: 'http://127.0.0.1:40123/v1' });
  assert.equal(describeDeployment(up, null, NOW).detail, 'llama.cpp, 127.0.0.1:40123');
  const asked = describeDeployment({ ...up, values: { running: 3, waiting: 2 } }, null, NOW);
  assert.deepEqual([asked.detail, asked.title], ['llama.cpp, 3 running, 2 waiting', 'llama.cpp, 3 running, 2 waiting\n127.0.0.1:40123']);
  const hung = describeDeployment({ ...up, progress: { ...up.progress, phase: 'hung', text: 'Not answering since 11:02:31' } }, null, NOW);
  assert.deepEqual([hung.tone, hung.detail], ['warn', 'Not answering since 11:02:31']);
});

test('a model says where it is from and whether it is served', () => {
  const model: LocalModel = { name: 'my-first', path: '/models/my-first', origin: 'finetuned', size_bytes: 5 * 1024 ** 2, changed_at: NOW, type: 'llm', call: '' };
  const maker = job({ state: 'succeeded', target: '/models/my-first', model: '/models/base' });
  const server = job({ kind: 'deploy', model: '/models/my-first' });
  assert.equal(describeModel(model, []).detail, 'fine-tuned here');
  assert.equal(describeModel(model, [maker, server]).detail, 'being served, fine-tuned from base');
  assert.equal(describeModel(model, [server]).tone, 'ok');
});

test('times grow old', () => {
  assert.equal(when(NOW - 5, NOW), 'just now');
  assert.equal(when(NOW - 600, NOW), '10 min ago');
  assert.match(when(NOW - 2 * 86_400, NOW), /^[A-Z][a-z]{2} \d+$/);
});

test('code is Python, whatever the names hold', () => {
  assert.equal(quoted("it's"), '"it\'s"');
  assert.equal(quoted('a\\b"\''), "'a\\\\b\"\\''");
  assert.match(jobCode(job()), /wb\.job\('abc'\)/);
});

test('code for a deployment is the line that joins it, with the name that people know', () => {
  const code = "wb.TrainableModule('/models/p').deploy_method(wb.deploy.llama_cpp, n_ctx=512).start()";
  const server = job({ kind: 'deploy', backend: 'llama_cpp', model: '/models/p', code });
  const known: LocalModel = { name: 'pocket', path: '/models/p', origin: 'shipped', size_bytes: 1, changed_at: 1, type: 'llm', call: '' };
  assert.match(deploymentCode(server, [known]), /TrainableModule\('pocket'\)\.deploy_method\(wb\.deploy\.llama_cpp, n_ctx=512\)\.start\(\)\nm\('Hello'\)$/);
  assert.match(deploymentCode(server, [{ ...known, name: "a$'b" }]), /TrainableModule\("a\$'b"\)\.deploy_method\(wb\.deploy\.llama_cpp, n_ctx=512\)\.start\(\)\n/);
  assert.match(deploymentCode(server, [], 'm.chat()'), /TrainableModule\('\/models\/p'\).*\nm\.chat\(\)$/s);
  assert.match(modelCode(known), /TrainableModule\('pocket'\)\.start\(\)/);
  const call = "m(['a text', 'another'])";
  assert.ok(modelCode({ ...known, type: 'embed', call }).endsWith(`.start()\n${call}`));
  assert.ok(deploymentCode(job({ kind: 'deploy', backend: 'sentence_transformers', code, call }), []).endsWith(`.start()\n${call}`));
});

test('a served function is called where it runs, and is no model to chat with', () => {
  const served = job({ id: 'k7', kind: 'deploy', backend: 'function', model: '', code: "wb.UrlModule(url='k7')" });
  assert.equal(deploymentCode(served, []), "import workbench as wb\n\ns = wb.UrlModule(url='k7')\ns");
  assert.ok(isFunction(served));
  assert.ok(!isFunction(job({ kind: 'deploy', backend: 'llama_cpp' })));
});

test('a log shows progress bars as they stand, without colours, across pieces', () => {
  const log = new LogText();
  for (const piece of ['\u001b[32mgreen\u001b[0m\n10%\r2', '0%\r30', '%\r\nend', '']) log.push(piece);
  assert.equal(log.toString(), 'green\n30%\nend');
});

test('a search hit is cut out whatever its case', () => {
  assert.deepEqual(cut('support-Tone-r3', 'tone'), ['support-', 'Tone', '-r3']);
  assert.deepEqual(cut('abc', ' '), ['abc', '', '']);
});
