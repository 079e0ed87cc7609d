/** What the card knows of its model. */
import type { Problem } from '../../common/rpc';

export type CardStateName = 'idle' | 'queued' | 'preparing' | 'running' | 'stopping' | 'failed' | 'lost' | 'cancelled' | 'succeeded';
export type CardAct = 'deploy' | 'stop' | 'cancel' | 'restart';

/** How busy the engine is, for all who ask it; what it does not tell is null. Lines are of equal steps over five minutes, oldest first. */
export interface Load {
  readonly running: number | null;
  readonly waiting: number | null;
  readonly cache: number | null;
  readonly speed: number | null;
  readonly requests: number | null;
  readonly rate: number | null;
  readonly lines: Readonly<Partial<Record<'running' | 'cache' | 'speed' | 'rate', readonly number[]>>>;
}

export interface Step {
  readonly title: string;
  readonly state: 'done' | 'now';
  readonly seconds: number | null;
}

export interface Card {
  readonly name: string;
  readonly state: CardStateName;
  readonly hosted: boolean;
  /** Whether what starts has answered before. */
  readonly restarting: boolean;
  readonly engine: string;
  readonly type: string;
  readonly reason: string;
  readonly details: {
    readonly ttl: number;
    readonly restarts: number;
    readonly context: number;
    readonly quantization: string;
    readonly template: string;
    readonly adapters: number;
  };
  readonly fit: { readonly fits: boolean; readonly need: number; readonly free: number; readonly device: string; readonly fix: string } | null;
  readonly base: string;
  readonly meta: {
    readonly parameters: number;
    readonly size: number;
    readonly dtype: string;
    readonly context: number;
    readonly architecture: string;
  } | null;
  readonly steps: readonly Step[];
  readonly log: string;
  readonly progress: { readonly done: number | null; readonly total: number | null; readonly unit: string; readonly eta: number | null } | null;
  readonly started_at: number | null;
  readonly now: number;
  readonly failure: { readonly cause: string; readonly fix: string; readonly log_tail: string } | null;
  readonly problem: Problem | null;
  readonly endpoint: string;
  readonly code: string;
  /** A call of a model that does not chat; else empty. */
  readonly call: string;
  readonly answers: {
    readonly count: number;
    readonly failed: number;
    readonly first_token: number | null;
    readonly first_tokens: readonly number[];
    readonly speed: number | null;
    readonly speeds: readonly number[];
  };
  readonly load: Load | null;
  readonly memory: readonly number[];
  readonly memory_total: number;
  readonly actions: readonly CardAct[];
}

export interface CardState {
  readonly card: Card | null;
  readonly seen: number;
  readonly asking: boolean;
  readonly asked: CardAct | null;
  readonly dismissed: boolean;
  readonly problem: Problem | null;
}

export type CardAction =
  | { readonly type: 'card'; readonly card: Card; readonly at: number }
  | { readonly type: 'ask'; readonly on: boolean }
  | { readonly type: 'act'; readonly act: CardAct }
  | { readonly type: 'problem'; readonly problem: Problem | null };

export const EMPTY: CardState = { card: null, seen: 0, asking: false, asked: null, dismissed: false, problem: null };

export function reduce(state: CardState, action: CardAction): CardState {
  switch (action.type) {
    case 'card': {
      const { card } = action;
      if (state.card && card.now < state.card.now) return state;
      // What was asked for stays greyed out until something of it is seen.
      const moved = state.card?.state !== card.state || card.problem !== null;
      return { ...state, card, seen: action.at, asked: moved ? null : state.asked, dismissed: card.problem === null ? false : state.dismissed };
    }
    case 'ask':
      return { ...state, asking: action.on };
    case 'act':
      return { ...state, asking: false, asked: action.act, problem: null, dismissed: false };
    case 'problem':
      return { ...state, problem: action.problem, asked: null, dismissed: action.problem === null };
  }
}
