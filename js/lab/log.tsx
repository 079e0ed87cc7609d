/** A job's log in the main area, as it grows. */
import { ReactWidget } from '@jupyterlab/apputils';
import * as React from 'react';
import type { Api } from './api';
import { describeDeployment, describeRun } from './describe';
import type { Feed } from './feed';
import { workbenchIcon } from './icons';
import { LogText } from './logtext';
import type { Job } from './types';
import { say } from './words';

const EVERY = 500;

export class LogPanel extends ReactWidget {
  constructor(
    private readonly job: Job,
    private readonly api: Api,
    private readonly feed: Feed
  ) {
    super();
    this.id = `workbench-log-${job.id}`;
    this.title.label = say('logOf', { name: job.name });
    this.title.caption = `${job.name} (${job.id})`;
    this.title.icon = workbenchIcon;
    this.title.closable = true;
  }

  private readonly seen = (): boolean => this.isVisible;

  protected render(): React.ReactElement {
    return <Log job={this.job} api={this.api} feed={this.feed} seen={this.seen} />;
  }
}

interface LogProps {
  readonly job: Job;
  readonly api: Api;
  readonly feed: Feed;
  readonly seen: () => boolean;
}

function Log({ job: first, api, feed, seen }: LogProps): React.ReactElement {
  const state = React.useSyncExternalStore(
    listener => feed.store.subscribe(listener),
    () => feed.store.state
  );
  const job = state.jobs.find(known => known.id === first.id) ?? first;
  const { text, failure } = useLog(first.id, api, seen);
  const box = React.useRef<HTMLPreElement>(null);
  const following = React.useRef(true);
  React.useLayoutEffect(() => {
    if (following.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [text]);
  const now = Date.now() / 1000;
  const line = job.kind === 'deploy' ? describeDeployment(job, null, now) : describeRun(job, now);
  return (
    <div className="wb wb-logpanel">
      <header className="wb-row">
        <i className={`wb-dot ${line.tone}`} aria-hidden="true" />
        <span className="wb-title wb-cut">{job.name}</span>
        <span className="wb-facts">
          <span>{line.detail || say(`state_${job.state}`)}</span>
          <span>{job.id}</span>
        </span>
      </header>
      {failure && (
        <div className="wb-note err" role="alert">
          <span>{failure}</span>
        </div>
      )}
      <pre
        ref={box}
        className="wb-log"
        tabIndex={0}
        role="log"
        aria-label={say('logOf', { name: job.name })}
        onScroll={event => {
          const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
          following.current = scrollHeight - scrollTop - clientHeight < 24;
        }}
      >
        {text || <span className="t">{say('logEmpty')}</span>}
      </pre>
    </div>
  );
}

/** Follows the log while the panel is seen, until nothing more will come. */
function useLog(id: string, api: Api, seen: () => boolean): { readonly text: string; readonly failure: string } {
  const [shown, setShown] = React.useState({ text: '', failure: '' });
  React.useEffect(() => {
    const log = new LogText();
    let offset = -1;
    let timer = 0;
    let over = false;
    const look = async (): Promise<void> => {
      let ended = false;
      if (seen()) {
        try {
          const part = await api.log(id, offset);
          if (over) return;
          offset = part.offset;
          ended = part.ended;
          log.push(part.text);
          setShown({ text: log.toString(), failure: '' });
        } catch (error) {
          setShown(before => ({ ...before, failure: error instanceof Error ? error.message : String(error) }));
        }
      }
      if (!over && !ended) timer = window.setTimeout(() => void look(), EVERY);
    };
    void look();
    return () => {
      over = true;
      window.clearTimeout(timer);
    };
  }, [id, api, seen]);
  return shown;
}
