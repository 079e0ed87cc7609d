/** What the machine view knows: the last look and five minutes of earlier ones. */
import type { Problem } from '../../common/rpc';

export interface Holder {
  readonly name: string;
  readonly what: string;
  readonly memory: number;
  readonly use: number | null;
  readonly since: number | null;
  readonly job_id: string;
  readonly can_stop: boolean;
}

export interface GpuView {
  readonly index: number;
  readonly name: string;
  readonly use: number | null;
  readonly memory_used: number;
  readonly memory_total: number;
  readonly memory_traffic: number | null;
  readonly power: number | null;
  readonly power_limit: number | null;
  readonly temperature: number | null;
  readonly temperature_limit: number | null;
  readonly holders: readonly Holder[];
}

export interface Machine {
  readonly time: number;
  readonly cores: number;
  readonly cpu_use: number;
  readonly per_core: readonly number[];
  readonly load: number | null;
  readonly memory_used: number;
  readonly memory_total: number;
  readonly disk_free: number;
  readonly holders: readonly Holder[];
  readonly gpus: readonly GpuView[];
  readonly driver: string;
  readonly cuda: string;
}

export interface Sample {
  readonly time: number;
  readonly cpu: number;
  readonly gpus: Readonly<Record<string, Readonly<Record<'use' | 'traffic' | 'power' | 'temperature' | 'memory', number | null>>>>;
}

export interface GpuState {
  readonly machine: Machine | null;
  readonly past: readonly Sample[];
  readonly interval: number;
  readonly asking: Holder | null;
  readonly problem: Problem | null;
}

export interface Update {
  readonly machine?: Machine | null;
  readonly sample?: Sample;
  readonly past?: readonly Sample[];
  readonly interval?: number;
}

export type GpuAction =
  | { readonly type: 'update'; readonly update: Update }
  | { readonly type: 'ask'; readonly holder: Holder | null }
  | { readonly type: 'problem'; readonly problem: Problem | null };

const SECONDS = 300;

export const EMPTY: GpuState = { machine: null, past: [], interval: 1.5, asking: null, problem: null };

export function reduce(state: GpuState, action: GpuAction): GpuState {
  switch (action.type) {
    case 'update': {
      const { machine, sample, past, interval } = action.update;
      if (machine && state.machine && machine.time < state.machine.time) return state;
      let samples = past ?? state.past;
      if (sample && sample.time > (samples[samples.length - 1]?.time ?? 0)) {
        samples = [...samples.filter(old => old.time > sample.time - SECONDS), sample];
      }
      return { ...state, machine: machine ?? state.machine, past: samples, interval: interval ?? state.interval };
    }
    case 'ask':
      return { ...state, asking: action.holder, problem: null };
    case 'problem':
      return { ...state, problem: action.problem };
  }
}

/** One line out of the samples; what was not measured is left out. */
export function line(past: readonly Sample[], pick: (sample: Sample) => number | null | undefined): Float64Array {
  return Float64Array.from(past.map(pick).filter((value): value is number => value != null));
}
