/** The sidebar: what the state says, and what a press does. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import * as React from 'react';
import { integer, loss } from '../common/format';
import type { Api } from './api';
import { DEPLOY_CODE, deploymentCode, FINETUNE_CODE, isFunction, jobCode, modelCode } from './code';
import { describeDeployment, describeModel, describeRun } from './describe';
import type { Feed } from './feed';
import { Icon } from './icons';
import { insertCode } from './notebook';
import { CpuRow, Curve, GpuRow, IconButton, Row, Section } from './rows';
import type { Action } from './rows';
import { deployments, matches, runs } from './state';
import type { SectionName, State } from './state';
import { active } from './types';
import type { Job, LocalModel } from './types';
import { say } from './words';

const SHORT = 5; // lines of a section before "more"

export interface PanelProps {
  readonly app: JupyterFrontEnd;
  readonly api: Api;
  readonly feed: Feed;
  readonly openLog: (job: Job) => void;
}

/** The time, to the half minute: "20 min ago" grows old without news. */
function useNow(): number {
  const [now, setNow] = React.useState(() => Date.now() / 1000);
  React.useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now() / 1000), 30_000);
    return () => window.clearInterval(timer);
  }, []);
  return now;
}

export function Panel({ app, api, feed, openLog }: PanelProps): React.ReactElement {
  const state = React.useSyncExternalStore(
    listener => feed.store.subscribe(listener),
    () => feed.store.state
  );
  const { dispatch } = feed.store;
  const now = Math.max(useNow(), ...state.jobs.slice(0, 1).map(job => job.created_at));
  const insert = (code: string, run = false): void => void insertCode(app, code, run).catch((error: unknown) => feed.fail(error));

  const stopNow = async (job: Job): Promise<void> => {
    const answer = await showDialog({
      title: say('stopNowAsk', { name: job.name }),
      body: say('stopNowLost'),
      buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: say('stopNow') })]
    });
    if (answer.button.accept) await feed.act(api.stop(job.id, false));
  };
  const copy = (text: string): void =>
    void navigator.clipboard.writeText(text).then(
      () => Notification.info(say('copied'), { autoClose: 2000 }),
      (error: unknown) => feed.fail(error)
    );

  const runActions = (job: Job): Action[] => [
    { icon: 'code', label: say('insertCode'), run: () => insert(jobCode(job)) },
    { icon: 'log', label: say('logs'), run: () => openLog(job) },
    ...(active(job)
      ? [
          job.stopping
            ? { icon: 'x' as const, label: say('stopNow'), run: () => void stopNow(job) }
            : { icon: 'stop' as const, label: say('stop'), run: () => void feed.act(api.stop(job.id, true)) }
        ]
      : job.state === 'succeeded'
        ? []
        : [{ icon: 'play' as const, label: say('resume'), run: () => void feed.act(api.command(job.id, 'resume')) }])
  ];
  const deploymentActions = (job: Job): Action[] => [
    ...(job.state === 'running'
      ? [
          ...(isFunction(job) || job.call
            ? []
            : [{ icon: 'chat' as const, label: say('chat'), run: () => insert(deploymentCode(job, state.models, 'm.chat()'), true) }]),
          { icon: 'code' as const, label: say('insertCode'), run: () => insert(deploymentCode(job, state.models)) },
          { icon: 'link' as const, label: say('copyEndpoint'), run: () => copy(job.url) }
        ]
      : []),
    { icon: 'log', label: say('logs'), run: () => openLog(job) },
    ...(job.stopping ? [] : [{ icon: 'retry' as const, label: say(active(job) ? 'startAnew' : 'serveAgain'), run: () => void feed.act(api.command(job.id, 'restart')) }]),
    ...(active(job) && !job.stopping ? [{ icon: 'stop' as const, label: say('stopServing'), run: () => void feed.act(api.stop(job.id, true)) }] : [])
  ];
  const modelActions = (model: LocalModel): Action[] => [
    ...(model.call ? [] : [{ icon: 'chat' as const, label: say('chat'), run: () => insert(modelCode(model, 'm.chat()'), true) }]),
    { icon: 'code', label: say('insertCode'), run: () => insert(modelCode(model)) }
  ];
  const open = (job: Job) => (): void => {
    dispatch({ type: 'select', id: job.id });
    openLog(job);
  };

  const memory = new Map(state.machine?.holders.map(h => [h.job_id, h.memory]));
  const shared = { state, toggle: (section: SectionName) => dispatch({ type: 'toggle', section }), whole: (section: SectionName) => dispatch({ type: 'whole', section }) };
  return (
    <aside className="wb wb-side" aria-label={say('workbench')}>
      <header>
        <div className="wb-row">
          <span className="wb-b">{say('workbench')}</span>
          <span className="wb-push" />
          <IconButton icon="retry" label={say('refresh')} run={() => void feed.refresh()} small />
        </div>
        <label className="wb-field">
          <Icon name="search" />
          <input
            value={state.search}
            placeholder={say('search')}
            aria-label={say('searchLabel')}
            onChange={event => dispatch({ type: 'search', text: event.target.value })}
            onKeyDown={event => {
              if (event.key === 'Escape') dispatch({ type: 'search', text: '' });
            }}
          />
          {state.search && <IconButton icon="x" label={say('clearSearch')} run={() => dispatch({ type: 'search', text: '' })} small />}
        </label>
      </header>
      {state.failure && (
        <div className="wb-note err" role="alert">
          <span>{state.failure.message}</span>
          <button type="button" className="wb-btn ghost s" onClick={() => void feed.refresh().then(() => dispatch({ type: 'failure', failure: null }))}>
            {say('tryAgain')}
          </button>
        </div>
      )}
      <div className="wb-side-scroll" aria-live="off">
        <List
          {...shared}
          name="jobs"
          items={runs(state)}
          text={job => job.name}
          none={<Empty text={say('jobsNone')} action={say('finetune')} run={() => insert(FINETUNE_CODE)} />}
          add={{ icon: 'add', label: say('finetune'), run: () => insert(FINETUNE_CODE) }}
        >
          {job => (
            <Row key={job.id} id={job.id} name={job.name} line={describeRun(job, now)} search={state.search} selected={state.selected === job.id} actions={runActions(job)} onOpen={open(job)}>
              {active(job) && <Curve job={job} value={job.values.loss == null ? '' : say('loss', { value: loss(job.values.loss) })} />}
            </Row>
          )}
        </List>
        <List
          {...shared}
          name="deployments"
          items={deployments(state, now)}
          text={job => job.name}
          none={<Empty text={say('deploymentsNone')} action={say('deployModel')} run={() => insert(DEPLOY_CODE)} />}
          add={{ icon: 'add', label: say('deployModel'), run: () => insert(DEPLOY_CODE) }}
        >
          {job => (
            <Row
              key={job.id}
              id={job.id}
              name={job.name}
              line={describeDeployment(job, memory.get(job.id) ?? null, now)}
              search={state.search}
              selected={state.selected === job.id}
              actions={deploymentActions(job)}
              onOpen={open(job)}
            />
          )}
        </List>
        <List {...shared} name="models" items={state.models} text={model => model.name} none={<Empty text={say('modelsNone')} />}>
          {model => (
            <Row key={model.path} id={model.path} name={model.name} line={describeModel(model, state.jobs)} search={state.search} actions={modelActions(model)} onOpen={() => insert(modelCode(model))} />
          )}
        </List>
        {!state.search && <Machines state={state} toggle={shared.toggle} />}
      </div>
    </aside>
  );
}

interface ListProps<T> {
  readonly state: State;
  readonly name: SectionName;
  readonly items: readonly T[];
  readonly text: (item: T) => string;
  readonly none: React.ReactNode;
  readonly add?: Action;
  readonly toggle: (section: SectionName) => void;
  readonly whole: (section: SectionName) => void;
  readonly children: (item: T) => React.ReactNode;
}

/** A section of lines: those that the search hits, the first few unless all are asked for. */
function List<T>({ state, name, items, text, none, add, toggle, whole, children }: ListProps<T>): React.ReactElement {
  const hits = state.search.trim() ? items.filter(item => matches(text(item), state.search)) : items;
  const shown = state.search.trim() || state.whole.has(name) ? hits : hits.slice(0, Math.max(SHORT, hits.length === SHORT + 1 ? SHORT + 1 : 0));
  const count = state.search.trim() ? say('of', { hits: integer(hits.length), count: integer(items.length) }) : items.length ? integer(items.length) : '';
  return (
    <Section title={say(name)} count={count} shut={state.shut.has(name)} onToggle={() => toggle(name)} {...(add ? { add } : {})}>
      {hits.length > 0 ? (
        <ul>
          {shown.map(children)}
          {!state.search.trim() && hits.length > SHORT + 1 && (
            <li>
              <button type="button" className="wb-more" onClick={() => whole(name)}>
                {state.whole.has(name) ? say('fewer') : say('more', { count: hits.length - shown.length })}
              </button>
            </li>
          )}
        </ul>
      ) : items.length > 0 ? (
        <div className="wb-none">{say('noneNamed', { search: state.search.trim() })}</div>
      ) : (
        state.loaded && none
      )}
    </Section>
  );
}

function Empty({ text, action, run }: { readonly text: string; readonly action?: string; readonly run?: () => void }): React.ReactElement {
  return (
    <div className="wb-none">
      {text}
      {action && (
        <button type="button" onClick={run}>
          {action}
        </button>
      )}
    </div>
  );
}

function Machines({ state, toggle }: { readonly state: State; readonly toggle: (section: SectionName) => void }): React.ReactElement {
  const { machine } = state;
  return (
    <Section title={say('gpus')} count={machine?.gpus.length ? integer(machine.gpus.length) : ''} shut={state.shut.has('gpus')} onToggle={() => toggle('gpus')}>
      {machine ? (
        <ul>{machine.gpus.length ? machine.gpus.map(gpu => <GpuRow key={gpu.index} gpu={gpu} />) : <CpuRow machine={machine} />}</ul>
      ) : (
        <div className="wb-none">{say('machineNone')}</div>
      )}
    </Section>
  );
}
