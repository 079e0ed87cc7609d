/** What one line of the sidebar says of a job or a model, as plain text. */
import { engineName } from '../common/engines';
import { bytes, estimate, integer, loss, percent } from '../common/format';
import { timeWords } from '../common/messages';
import type { Job, LocalModel } from './types';
import { active } from './types';
import { say } from './words';

export type Tone = 'idle' | 'run' | 'ok' | 'warn' | 'err';

export interface Line {
  readonly tone: Tone;
  /** On the right: how far, when it ended, where it is. */
  readonly note: string;
  readonly detail: string;
  readonly bad: boolean;
  /** For the pointer and for screen readers: all of it. */
  readonly title: string;
}

const HOUR = 3600;

/** `20 min ago`, `11:02`, `Nov 20`. */
export function when(epoch: number, now: number): string {
  const age = now - epoch;
  if (age < 60) return say('justNow');
  if (age < HOUR) return say('ago', { time: `${Math.round(age / 60)} ${timeWords().min}` });
  const then = new Date(epoch * 1000);
  const sameDay = then.toDateString() === new Date(now * 1000).toDateString();
  return sameDay
    ? then.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit', hour12: false })
    : then.toLocaleDateString(undefined, { month: 'short', day: 'numeric' });
}

export function fraction(job: Job): number | null {
  if (job.step != null && job.max_steps) return Math.min(1, job.step / job.max_steps);
  const { done, total } = job.progress;
  return total && done != null ? Math.min(1, done / total) : null;
}

/** Seconds that a run still takes, by its own estimate or by its steps so far. */
export function left(job: Job, now: number): number | null {
  if (job.progress.eta != null) return job.progress.eta;
  const share = fraction(job);
  if (job.state !== 'running' || !share || share >= 1 || job.started_at == null) return null;
  return ((now - job.started_at) * (1 - share)) / share;
}

export function describeRun(job: Job, now: number): Line {
  const share = fraction(job);
  const ended = job.ended_at == null ? '' : when(job.ended_at, now);
  switch (job.state) {
    case 'queued':
      return line('idle', '', [say('waiting')]);
    case 'preparing':
      return line('run', share == null ? '' : percent(share), [say('preparing'), job.progress.text || job.progress.phase]);
    case 'running':
    case 'stopping': {
      const time = left(job, now);
      const facts = job.stopping
        ? [say('stopping')]
        : [steps(job), job.progress.phase === 'paused' ? say('paused') : time == null ? '' : say('about', { time: estimate(time, timeWords()) })];
      return line('run', share == null ? '' : percent(share), [...facts, ...(facts.some(Boolean) ? [] : [job.progress.text])]);
    }
    case 'succeeded':
      return line('ok', ended, [say('finished'), measured(job)]);
    case 'cancelled':
      return line('idle', ended, [
        job.step != null && job.max_steps ? say('stoppedAt', { step: integer(job.step), steps: integer(job.max_steps) }) : say('stopped'),
        measured(job)
      ]);
    case 'failed':
      return broken(job, ended);
    case 'lost':
      return line('err', ended, [say('lost')], true, job.failure?.fix);
  }
}

export function describeDeployment(job: Job, memory: number | null, now: number): Line {
  const engine = engineName(job.backend);
  switch (job.state) {
    case 'queued':
      return line('idle', '', [say('waiting')]);
    case 'preparing': {
      const share = fraction(job);
      return line('run', share == null ? '' : percent(share), [say(job.url ? 'restarting' : 'preparing'), job.progress.text || job.progress.phase]);
    }
    case 'running':
    case 'stopping':
      if (job.stopping) return line('run', '', [say('stoppingServing')]);
      if (NOT_WELL.has(job.progress.phase)) return line('warn', memory == null ? '' : bytes(memory), [job.progress.text]);
      return line('ok', memory == null ? '' : bytes(memory), [engine, busy(job) || address(job.url)], false, busy(job) && address(job.url));
    case 'failed':
      return broken(job, job.ended_at == null ? '' : when(job.ended_at, now));
    case 'lost':
      return line('err', '', [say('lost')], true, job.failure?.fix);
    case 'succeeded':
      return line('idle', '', [job.progress.phase === 'idle' ? job.progress.text : say('stopped')]);
    case 'cancelled':
      return line('idle', '', [say('stopped')]);
  }
}

/** Phases of a deployment that does not answer; `workbench.runtime.deployments.health` names them. */
const NOT_WELL: ReadonlySet<string> = new Set(['hung', 'busy']);

/** `3 running, 2 waiting`; empty while nobody asks. */
function busy(job: Job): string {
  const { running, waiting } = job.values;
  const facts = [running ? say('requestsRunning', { count: integer(running) }) : '', waiting ? say('requestsWaiting', { count: integer(waiting) }) : ''];
  return facts.filter(Boolean).join(', ');
}

export function describeModel(model: LocalModel, jobs: readonly Job[]): Line {
  const served = jobs.some(job => job.kind === 'deploy' && active(job) && job.model === model.path);
  const maker = jobs.find(job => job.kind === 'finetune' && job.target !== '' && job.target === model.path);
  const origin = {
    shipped: say('pocket'),
    finetuned: maker ? say('finetunedFrom', { base: lastPart(maker.model) }) : say('finetuned'),
    folder: say('folder'),
    downloaded: say('downloaded')
  }[model.origin];
  const shown = line(served ? 'ok' : 'idle', bytes(model.size_bytes), [served ? say('served') : '', origin]);
  return { ...shown, title: `${shown.title}\n${model.path}` };
}

export const lastPart = (path: string): string => path.split('/').filter(Boolean).pop() ?? path;

function steps(job: Job): string {
  if (job.step == null) return '';
  return job.max_steps ? say('step', { step: integer(job.step), steps: integer(job.max_steps) }) : say('stepOnly', { step: integer(job.step) });
}

function measured(job: Job): string {
  if (job.values.eval_loss != null) return say('evalLoss', { value: loss(job.values.eval_loss) });
  return job.values.loss != null ? say('loss', { value: loss(job.values.loss) }) : '';
}

function broken(job: Job, ended: string): Line {
  const cause = (job.failure?.cause ?? '').split('\n')[0]?.replace(/[.。]$/, '') ?? '';
  return line('err', ended, [cause ? say('failed', { cause }) : say('failedPlain')], true, job.failure?.fix);
}

function address(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return '';
  }
}

function line(tone: Tone, note: string, facts: readonly string[], bad = false, more = ''): Line {
  const detail = facts.filter(Boolean).join(', ');
  return { tone, note, detail, bad, title: [detail, more].filter(Boolean).join('\n') };
}
