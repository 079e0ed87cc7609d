/** What the monitor knows and how it changes. The rows themselves grow in place; `version` tells that they have. */
import { float64 } from '../../common/columns';
import type { Problem } from '../../common/rpc';
import { TrainData } from './data';

export type JobState = 'queued' | 'preparing' | 'running' | 'stopping' | 'succeeded' | 'failed' | 'cancelled' | 'lost';
export type Tab = 'loss' | 'config' | 'log' | 'data';
export type Action_ = 'stop' | 'cancel' | 'save' | 'pause' | 'unpause' | 'continue' | 'again';

export interface JobView {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly backend: string;
  readonly state: JobState;
  readonly paused: boolean;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  readonly now: number;
  readonly progress: {
    readonly phase: string;
    readonly text: string;
    readonly done: number | null;
    readonly total: number | null;
    readonly unit: string;
    readonly eta: number | null;
  };
  readonly step: number | null;
  readonly max_steps: number | null;
  readonly epochs: number | null;
  readonly failure: { readonly cause: string; readonly fix: string; readonly log_tail: string } | null;
  readonly checkpoint: number | null;
  readonly base: string;
  readonly method: string;
  readonly device: string;
  readonly data: { readonly name: string; readonly rows: number; readonly eval_rows: number } | null;
  readonly config: readonly { readonly name: string; readonly value: string; readonly set: boolean }[];
  readonly notices: readonly { readonly id: number; readonly level: string; readonly text: string }[];
  readonly memory_total: number | null;
  readonly target: string;
  readonly endpoint: string;
  readonly code: string;
  readonly actions: readonly Action_[];
}

export interface Preview {
  readonly rows: readonly { readonly row: number; readonly prompt: string; readonly answer: string }[];
  readonly path: string;
}

export interface MonitorState {
  readonly job: JobView | null;
  /** When `job` came, by this page's clock in seconds: what its `now` is compared with. */
  readonly seen: number;
  readonly data: TrainData;
  readonly version: number;
  /** Which set of rows `data` holds: a continued job, or rows that began anew, have another number. */
  readonly generation: number;
  readonly log: string;
  readonly logEnd: number;
  readonly gap: boolean;
  readonly tab: Tab | null;
  readonly smoothing: number;
  readonly logScale: boolean;
  readonly follow: boolean;
  readonly dismissed: ReadonlySet<string>;
  readonly asking: boolean;
  readonly busy: Action_ | null;
  readonly problem: Problem | null;
  readonly preview: Preview | null;
}

export interface Update {
  readonly job?: JobView | null;
  readonly gen?: number;
  readonly from?: number;
  readonly count?: number;
  readonly names?: readonly string[];
  readonly log?: string;
  readonly log_at?: number;
}

export type MonitorAction =
  | { readonly type: 'update'; readonly update: Update; readonly values: DataView | null; readonly at: number }
  | { readonly type: 'tab'; readonly tab: Tab | null }
  | { readonly type: 'smoothing'; readonly value: number }
  | { readonly type: 'logScale'; readonly on: boolean }
  | { readonly type: 'follow'; readonly on: boolean }
  | { readonly type: 'dismiss'; readonly id: string }
  | { readonly type: 'ask'; readonly on: boolean }
  | { readonly type: 'busy'; readonly action: Action_ }
  | { readonly type: 'done'; readonly problem: Problem | null }
  | { readonly type: 'asked' }
  | { readonly type: 'preview'; readonly preview: Preview };

const LOG_KEPT = 60_000;
const ENDED = new Set<JobState>(['succeeded', 'failed', 'cancelled', 'lost']);

export const ended = (state: JobState): boolean => ENDED.has(state);

export function initial(snapshot: Update, history: DataView | null, at: number): MonitorState {
  const empty: MonitorState = {
    job: null,
    seen: at,
    data: new TrainData(0.9),
    version: 0,
    generation: 0,
    log: '',
    logEnd: 0,
    gap: false,
    tab: 'log',
    smoothing: 0.9,
    logScale: false,
    follow: true,
    dismissed: new Set(),
    asking: false,
    busy: null,
    problem: null,
    preview: null
  };
  const first = reduce(empty, { type: 'update', update: snapshot, values: history, at });
  const training = first.job?.kind !== 'deploy';
  return { ...first, tab: first.job && training && ended(first.job.state) ? 'loss' : training ? null : 'log' };
}

function merge(state: MonitorState, update: Update, values: DataView | null, at: number): MonitorState {
  const next: { -readonly [K in keyof MonitorState]: MonitorState[K] } = { ...state };
  if (update.job) {
    const was = state.job?.state;
    next.job = update.job;
    next.seen = at;
    // The chart of a run that was watched stays in sight when the run ends.
    if (was && !ended(was) && ended(update.job.state) && state.tab === null && update.job.kind !== 'deploy') next.tab = 'loss';
  }
  const { from = 0, count = 0, names = [] } = update;
  if (update.gen !== undefined && update.gen !== state.generation) {
    next.generation = update.gen;
    next.data = new TrainData(state.smoothing);
    next.version = state.version + 1;
    next.log = '';
    next.logEnd = 0;
    next.preview = null;
  }
  if (count) {
    if (from > next.data.count) next.gap = true;
    else if (from + count > next.data.count) {
      next.data.append(names, float64(values), count, next.data.count - from);
      next.version = state.version + 1;
    }
  }
  if (update.log) {
    const start = update.log_at ?? 0;
    if (start > next.logEnd && next.logEnd > 0) next.gap = true;
    else {
      const fresh = update.log.slice(Math.max(0, next.logEnd - start));
      next.log = (next.log + fresh).slice(-LOG_KEPT);
      next.logEnd = Math.max(next.logEnd, start + update.log.length);
    }
  }
  return next;
}

export function reduce(state: MonitorState, action: MonitorAction): MonitorState {
  switch (action.type) {
    case 'update':
      return merge(state, action.update, action.values, action.at);
    case 'tab':
      return { ...state, tab: action.tab };
    case 'smoothing':
      state.data.smooth.reweigh(action.value, state.data.train.y);
      return { ...state, smoothing: action.value, version: state.version + 1 };
    case 'logScale':
      return { ...state, logScale: action.on };
    case 'follow':
      return { ...state, follow: action.on };
    case 'dismiss':
      return { ...state, dismissed: new Set([...state.dismissed, action.id]) };
    case 'ask':
      return { ...state, asking: action.on };
    case 'busy':
      return { ...state, busy: action.action, asking: false, problem: null };
    case 'done':
      return { ...state, busy: null, problem: action.problem };
    case 'asked':
      return { ...state, gap: false };
    case 'preview':
      return { ...state, preview: action.preview };
  }
}
