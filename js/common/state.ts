/** A store with one reducer: the only place where a widget's state changes. Knows nothing of drawing or of the kernel. */

export type Reducer<S, A> = (state: S, action: A) => S;

export class Store<S, A> {
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly reduce: Reducer<S, A>,
    private current: S
  ) {}

  get state(): S {
    return this.current;
  }

  dispatch = (action: A): void => {
    const next = this.reduce(this.current, action);
    if (next === this.current) return;
    this.current = next;
    for (const listener of [...this.listeners]) listener();
  };

  /** Calls `listener` after every change, until the returned function is called. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
