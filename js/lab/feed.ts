/**
 * Keeps the state fresh while somebody looks: the list of jobs at first and every half minute (which also tells the server
 * that somebody watches), changes over JupyterLab's event bus, the machine every two seconds.
 */
import type { Event, ServiceManager } from '@jupyterlab/services';
import { Store } from '../common/state';
import { Api, Failure } from './api';
import { EMPTY, reduce } from './state';
import type { Action, State } from './state';
import { SCHEMA } from './types';
import type { Job } from './types';

const LIST_EVERY = 30_000;
const MACHINE_EVERY = 2_000;

export class Feed {
  readonly store = new Store<State, Action>(reduce, EMPTY);
  private timers: number[] = [];

  constructor(
    private readonly api: Api,
    private readonly events: ServiceManager.IManager['events']
  ) {}

  /** Somebody looks. */
  start(): void {
    if (this.timers.length) return;
    this.events.stream.connect(this.onEvent);
    this.timers = [window.setInterval(() => void this.list(), LIST_EVERY), window.setInterval(() => void this.look(), MACHINE_EVERY)];
    void this.refresh();
  }

  /** Nobody looks. */
  stop(): void {
    this.events.stream.disconnect(this.onEvent);
    this.timers.forEach(timer => window.clearInterval(timer));
    this.timers = [];
  }

  /** Ask for everything now. */
  async refresh(): Promise<void> {
    await Promise.all([this.list(), this.look(), this.models()]);
  }

  /** Do something on the server; what it answers is a job as it is then. */
  async act(work: Promise<Job>): Promise<void> {
    try {
      this.store.dispatch({ type: 'changed', jobs: [await work] });
    } catch (error) {
      this.fail(error);
    }
  }

  fail(error: unknown): void {
    this.store.dispatch({ type: 'failure', failure: error instanceof Failure ? error : new Failure(String(error)) });
  }

  private readonly onEvent = (_: unknown, event: Event.Emission): void => {
    if (event.schema_id !== SCHEMA) return;
    const news = (event as unknown as { jobs: Job[] }).jobs;
    const before = new Map(this.store.state.jobs.map(job => [job.id, job]));
    this.store.dispatch({ type: 'changed', jobs: news });
    // A run that ended may have made a model.
    if (news.some(job => job.state === 'succeeded' && before.get(job.id)?.state !== 'succeeded')) void this.models();
  };

  private async list(): Promise<void> {
    try {
      this.store.dispatch({ type: 'jobs', jobs: await this.api.jobs() });
    } catch (error) {
      this.fail(error);
    }
  }

  private async look(): Promise<void> {
    if (document.hidden) return;
    try {
      this.store.dispatch({ type: 'machine', machine: await this.api.machine() });
    } catch {
      // The list of jobs, asked for on the same server, says what is wrong.
    }
  }

  private async models(): Promise<void> {
    try {
      this.store.dispatch({ type: 'models', models: await this.api.models() });
    } catch (error) {
      this.fail(error);
    }
  }

}
