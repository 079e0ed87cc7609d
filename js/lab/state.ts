/** What the sidebar knows, in one reducer. Knows nothing of drawing or of where news come from. */
import type { Reducer } from '../common/state';
import type { Failure } from './api';
import { active } from './types';
import type { Job, LocalModel, Machine } from './types';

export type SectionName = 'jobs' | 'deployments' | 'models' | 'gpus';

export interface State {
  /** Newest first. */
  readonly jobs: readonly Job[];
  readonly models: readonly LocalModel[];
  readonly machine: Machine | null;
  readonly loaded: boolean;
  readonly failure: Failure | null;
  readonly search: string;
  readonly shut: ReadonlySet<SectionName>;
  readonly whole: ReadonlySet<SectionName>;
  readonly selected: string;
}

export type Action =
  | { readonly type: 'jobs'; readonly jobs: readonly Job[] }
  | { readonly type: 'changed'; readonly jobs: readonly Job[] }
  | { readonly type: 'models'; readonly models: readonly LocalModel[] }
  | { readonly type: 'machine'; readonly machine: Machine }
  | { readonly type: 'failure'; readonly failure: Failure | null }
  | { readonly type: 'search'; readonly text: string }
  | { readonly type: 'toggle'; readonly section: SectionName }
  | { readonly type: 'whole'; readonly section: SectionName }
  | { readonly type: 'select'; readonly id: string };

export const EMPTY: State = {
  jobs: [],
  models: [],
  machine: null,
  loaded: false,
  failure: null,
  search: '',
  shut: new Set(),
  whole: new Set(),
  selected: ''
};

export const reduce: Reducer<State, Action> = (state, action) => {
  switch (action.type) {
    case 'jobs':
      return { ...state, jobs: action.jobs, loaded: true, failure: null };
    case 'changed':
      return { ...state, jobs: merge(state.jobs, action.jobs) };
    case 'models':
      return { ...state, models: action.models };
    case 'machine':
      return { ...state, machine: action.machine };
    case 'failure':
      return { ...state, failure: action.failure };
    case 'search':
      return { ...state, search: action.text };
    case 'toggle':
      return { ...state, shut: flipped(state.shut, action.section) };
    case 'whole':
      return { ...state, whole: flipped(state.whole, action.section) };
    case 'select':
      return { ...state, selected: action.id };
  }
};

/** News may overtake an answer: of a job that is known, an older revision is dropped. */
function merge(known: readonly Job[], news: readonly Job[]): readonly Job[] {
  const byId = new Map(known.map(job => [job.id, job]));
  for (const job of news) {
    const before = byId.get(job.id);
    if (!before || before.revision <= job.revision) byId.set(job.id, job);
  }
  return [...byId.values()].sort((a, b) => b.created_at - a.created_at);
}

function flipped<T>(set: ReadonlySet<T>, value: T): ReadonlySet<T> {
  const next = new Set(set);
  if (!next.delete(value)) next.add(value);
  return next;
}

const DAY = 86_400;

/** What is at work first, then the newest. */
export function runs(state: State): readonly Job[] {
  const all = state.jobs.filter(job => job.kind !== 'deploy');
  return [...all.filter(active), ...all.filter(job => !active(job))];
}

/** What is being served; and what failed within a day and was not started again since. */
export function deployments(state: State, now: number): readonly Job[] {
  const all = state.jobs.filter(job => job.kind === 'deploy');
  const serving = all.filter(active);
  const broken = all.filter(
    job =>
      (job.state === 'failed' || job.state === 'lost') &&
      now - (job.ended_at ?? job.created_at) < DAY &&
      !all.some(other => other.created_at > job.created_at && other.name === job.name)
  );
  return [...serving, ...broken];
}

export function matches(text: string, search: string): boolean {
  return text.toLowerCase().includes(search.trim().toLowerCase());
}

/** A text cut where the search hits it, for marking: `[before, hit, after]`. */
export function cut(text: string, search: string): readonly [string, string, string] {
  const wanted = search.trim().toLowerCase();
  const at = wanted ? text.toLowerCase().indexOf(wanted) : -1;
  return at < 0 ? [text, '', ''] : [text.slice(0, at), text.slice(at, at + wanted.length), text.slice(at + wanted.length)];
}
