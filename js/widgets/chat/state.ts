/** What the chat knows and how it changes. The conversation itself is the kernel's; this is its copy and the page's own matters. */
import type { Problem } from '../../common/rpc';

export type AnswerState = 'waiting' | 'writing' | 'done' | 'stopped' | 'error';

export interface Answer {
  readonly model: number;
  readonly run: string;
  readonly state: AnswerState;
  readonly text: string;
  readonly think: string;
  readonly first_token: number | null;
  readonly total: number | null;
  readonly speed: number | null;
  readonly tokens: number | null;
  readonly cut: boolean;
  readonly error: Problem | null;
}

export interface Exchange {
  readonly id: string;
  readonly text: string;
  readonly answers: readonly Answer[];
}

export interface ModelView {
  readonly name: string;
  readonly state: string;
  readonly engine: string;
  readonly context: number | null;
  readonly used: number;
  readonly can_start: boolean;
}

export interface Parameters {
  readonly system: string;
  readonly temperature: number | null;
  readonly top_p: number | null;
  readonly max_tokens: number | null;
  readonly seed: number | null;
}

export interface Piece {
  readonly run: string;
  readonly text: string;
  readonly think: string;
}

export interface Update {
  readonly rev?: number;
  readonly models?: readonly ModelView[];
  readonly exchanges?: readonly Exchange[];
  readonly exchange?: Exchange;
  readonly pieces?: readonly Piece[];
  readonly parameters?: Parameters;
  readonly problem?: Problem | null;
}

export interface ChatState {
  readonly revision: number;
  readonly gap: boolean;
  readonly models: readonly ModelView[];
  readonly exchanges: readonly Exchange[];
  readonly parameters: Parameters;
  readonly drawer: boolean;
  readonly draft: string;
  readonly editing: string | null;
  readonly thoughts: ReadonlySet<string>;
  readonly asking: boolean;
  readonly problem: Problem | null;
}

export type ChatAction =
  | { readonly type: 'update'; readonly update: Update; readonly whole: boolean }
  | { readonly type: 'asked' }
  | { readonly type: 'draft'; readonly text: string }
  | { readonly type: 'drawer' }
  | { readonly type: 'parameters'; readonly values: Partial<Parameters> }
  | { readonly type: 'editing'; readonly id: string | null }
  | { readonly type: 'thoughts'; readonly run: string }
  | { readonly type: 'ask'; readonly on: boolean }
  | { readonly type: 'problem'; readonly problem: Problem | null };

export const DEFAULTS: Parameters = { system: '', temperature: null, top_p: null, max_tokens: null, seed: null };

export const EMPTY: ChatState = {
  revision: 0,
  gap: false,
  models: [],
  exchanges: [],
  parameters: DEFAULTS,
  drawer: false,
  draft: '',
  editing: null,
  thoughts: new Set(),
  asking: false,
  problem: null
};

export const active = (answer: Answer): boolean => answer.state === 'waiting' || answer.state === 'writing';
export const busy = (state: ChatState): boolean => state.exchanges.some(exchange => exchange.answers.some(active));

function withPieces(exchanges: readonly Exchange[], pieces: readonly Piece[]): readonly Exchange[] {
  const byRun = new Map(pieces.map(piece => [piece.run, piece]));
  return exchanges.map(exchange => {
    if (!exchange.answers.some(answer => byRun.has(answer.run))) return exchange;
    const answers = exchange.answers.map((answer): Answer => {
      const piece = byRun.get(answer.run);
      return piece ? { ...answer, state: 'writing', text: answer.text + piece.text, think: answer.think + piece.think } : answer;
    });
    return { ...exchange, answers };
  });
}

function withExchange(exchanges: readonly Exchange[], exchange: Exchange): readonly Exchange[] {
  const at = exchanges.findIndex(other => other.id === exchange.id);
  return at < 0 ? [...exchanges, exchange] : exchanges.map((other, i) => (i === at ? exchange : other));
}

function merge(state: ChatState, update: Update, whole: boolean): ChatState {
  const revision = update.rev ?? state.revision;
  if (whole) {
    if (revision < state.revision) return state; // news that came meanwhile knows more
    return { ...state, ...pick(update), revision, gap: false };
  }
  if (revision <= state.revision) return state;
  if (revision !== state.revision + 1) return { ...state, gap: true };
  let { exchanges } = state;
  if (update.exchanges) exchanges = update.exchanges;
  if (update.exchange) exchanges = withExchange(exchanges, update.exchange);
  if (update.pieces) exchanges = withPieces(exchanges, update.pieces);
  return { ...state, revision, exchanges, models: update.models ?? state.models, problem: update.problem ?? state.problem };
}

function pick(update: Update): Partial<ChatState> {
  return {
    ...(update.models ? { models: update.models } : {}),
    ...(update.exchanges ? { exchanges: update.exchanges } : {}),
    ...(update.parameters ? { parameters: update.parameters } : {})
  };
}

export function reduce(state: ChatState, action: ChatAction): ChatState {
  switch (action.type) {
    case 'update':
      return merge(state, action.update, action.whole);
    case 'asked':
      return { ...state, gap: false };
    case 'draft':
      return { ...state, draft: action.text };
    case 'drawer':
      return { ...state, drawer: !state.drawer };
    case 'parameters':
      return { ...state, parameters: { ...state.parameters, ...action.values } };
    case 'editing':
      return { ...state, editing: action.id };
    case 'thoughts': {
      const thoughts = new Set(state.thoughts);
      if (!thoughts.delete(action.run)) thoughts.add(action.run);
      return { ...state, thoughts };
    }
    case 'ask':
      return { ...state, asking: action.on };
    case 'problem':
      return { ...state, problem: action.problem };
  }
}
