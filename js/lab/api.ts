/** The REST routes of the server extension. An error that the workbench explains arrives as a `Failure`. */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { Job, LocalModel, LogPart, Machine } from './types';

/** What failed, the likely cause, the next thing to do: the shape of every error of the workbench. */
export class Failure extends Error {
  constructor(
    readonly what: string,
    readonly why = '',
    readonly fix = ''
  ) {
    super([what, why, fix].filter(Boolean).join(' '));
  }
}

export class Api {
  constructor(private readonly settings: ServerConnection.ISettings) {}

  async jobs(): Promise<readonly Job[]> {
    return (await this.ask<{ jobs: Job[] }>('jobs')).jobs;
  }

  async models(): Promise<readonly LocalModel[]> {
    return (await this.ask<{ models: LocalModel[] }>('models')).models;
  }

  machine(): Promise<Machine> {
    return this.ask('machine');
  }

  log(job: string, after: number): Promise<LogPart> {
    return this.ask(`jobs/${encodeURIComponent(job)}/logs?after=${after}`);
  }

  stop(job: string, save: boolean): Promise<Job> {
    return this.ask(`jobs/${encodeURIComponent(job)}/stop`, { save });
  }

  command(job: string, command: 'save' | 'pause' | 'resume' | 'restart'): Promise<Job> {
    return this.ask(`jobs/${encodeURIComponent(job)}/${command}`, {});
  }

  private async ask<T>(path: string, body?: object): Promise<T> {
    const init: RequestInit = body ? { method: 'POST', body: JSON.stringify(body) } : { method: 'GET' };
    const url = URLExt.join(this.settings.baseUrl, 'workbench', path);
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(url, init, this.settings);
    } catch (error) {
      throw new Failure('The Jupyter server does not answer.', String(error), '');
    }
    const text = await response.text();
    let data: unknown;
    try {
      data = JSON.parse(text);
    } catch {
      throw new Failure(`The workbench's server extension does not answer (${response.status}).`, '', 'Check: jupyter server extension list');
    }
    if (!response.ok) {
      const said = data as Partial<{ what: string; cause: string; fix: string; message: string }>;
      throw new Failure(said.what ?? said.message ?? response.statusText, said.cause, said.fix);
    }
    return data as T;
  }
}
