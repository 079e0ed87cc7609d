/**
 * Questions to the kernel over a widget's custom messages. Every question has an id, every answer comes back,
 * and an error comes back as a message with its cause and its fix. Knows nothing of what is asked.
 *
 *   page → kernel   {kind: 'rpc', id, method, params}
 *   kernel → page   {kind: 'reply', id, result} or {kind: 'reply', id, error: {what, cause, fix}}
 */

export interface Problem {
  readonly what: string;
  readonly cause: string;
  readonly fix: string;
}

export class RpcError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.what);
    this.name = 'RpcError';
  }
}

export interface Answer<T> {
  readonly result: T;
  readonly buffers: readonly DataView[];
}

interface Reply {
  kind: 'reply';
  id: string;
  result?: unknown;
  error?: Problem;
}

interface Waiting {
  resolve: (answer: Answer<unknown>) => void;
  reject: (error: Error) => void;
  timer: ReturnType<typeof setTimeout>;
}

/** What went wrong, as something that can be shown. */
export function problemOf(error: unknown): Problem {
  if (error instanceof RpcError) return error.problem;
  return { what: error instanceof Error ? error.message : String(error), cause: '', fix: '' };
}

function isReply(message: unknown): message is Reply {
  return typeof message === 'object' && message !== null && (message as Reply).kind === 'reply';
}

export class Rpc {
  private readonly waiting = new Map<string, Waiting>();
  private count = 0;
  private readonly prefix = Math.random().toString(36).slice(2, 10);

  constructor(
    private readonly send: (message: Record<string, unknown>) => void,
    private readonly noAnswer: () => Problem
  ) {}

  /** Asks, and resolves with the answer. Rejects with an `RpcError` when the kernel says no or does not answer in time. */
  call<T>(method: string, params: Record<string, unknown> = {}, seconds = 30): Promise<Answer<T>> {
    const id = `${this.prefix}-${++this.count}`;
    return new Promise<Answer<T>>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(id);
        reject(new RpcError(this.noAnswer()));
      }, seconds * 1000);
      this.waiting.set(id, { resolve: resolve as (answer: Answer<unknown>) => void, reject, timer });
      this.send({ kind: 'rpc', id, method, params });
    });
  }

  /** Takes a message from the kernel; true when it was an answer (to anybody: two pages may share one widget). */
  receive(message: unknown, buffers: readonly DataView[]): boolean {
    if (!isReply(message)) return false;
    const waiting = this.waiting.get(message.id);
    if (waiting) {
      this.waiting.delete(message.id);
      clearTimeout(waiting.timer);
      if (message.error) waiting.reject(new RpcError(message.error));
      else waiting.resolve({ result: message.result, buffers });
    }
    return true;
  }

  /** Forgets every open question. */
  close(): void {
    for (const { timer } of this.waiting.values()) clearTimeout(timer);
    this.waiting.clear();
  }
}
