/** What the server extension sends; its twin is `workbench/server/jobs_view.py`, `runtime/machine.py`, `runtime/inspecting/catalog.py`. */

export const SCHEMA = 'urn:jupyter-llm-workbench:jobs';

export type JobState = 'queued' | 'preparing' | 'running' | 'stopping' | 'succeeded' | 'failed' | 'cancelled' | 'lost';

export interface Progress {
  readonly phase: string;
  readonly text: string;
  readonly done: number | null;
  readonly total: number | null;
  readonly unit: string;
  readonly eta: number | null;
}

/** Times are seconds since the epoch. */
export interface Job {
  readonly id: string;
  readonly kind: string;
  readonly backend: string;
  readonly name: string;
  readonly parent: string;
  readonly state: JobState;
  readonly stopping: boolean;
  readonly created_at: number;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  readonly progress: Progress;
  readonly failure: { readonly cause: string; readonly fix: string; readonly log_tail: string } | null;
  readonly step: number | null;
  readonly max_steps: number | null;
  /** What it is of: the model to serve, or the base model; a path or a name. */
  readonly model: string;
  /** A call of a model that does not chat; else empty. */
  readonly call: string;
  /** Of a deployment that runs: the line of Python that joins it. */
  readonly code: string;
  readonly url: string;
  readonly target: string;
  /** The loss so far, oldest first, thinned. */
  readonly curve: readonly number[];
  /** The last value of each measure. */
  readonly values: Readonly<Record<string, number>>;
  readonly revision: number;
}

export interface LocalModel {
  readonly name: string;
  readonly path: string;
  readonly origin: 'shipped' | 'finetuned' | 'folder' | 'downloaded';
  readonly size_bytes: number;
  readonly changed_at: number;
  readonly type: string;
  /** A call of one that does not chat; else empty. */
  readonly call: string;
}

export interface Holder {
  readonly name: string;
  readonly what: string;
  readonly memory: number;
  readonly use: number | null;
  readonly job_id: string;
}

export interface Gpu {
  readonly index: number;
  readonly name: string;
  readonly use: number | null;
  readonly memory_used: number;
  readonly memory_total: number;
  readonly temperature: number | null;
  readonly holders: readonly Holder[];
}

export interface Machine {
  readonly cores: number;
  readonly cpu_use: number;
  readonly memory_used: number;
  readonly memory_total: number;
  readonly holders: readonly Holder[];
  readonly gpus: readonly Gpu[];
}

export interface LogPart {
  readonly text: string;
  readonly offset: number;
  readonly size: number;
  readonly ended: boolean;
}

const ENDED: ReadonlySet<JobState> = new Set(['succeeded', 'failed', 'cancelled', 'lost']);

export const active = (job: Job): boolean => !ENDED.has(job.state);
