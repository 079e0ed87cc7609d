/** @jsx h */
/** @jsxFrag Fragment */
/** The monitor's card, drawn from its state. Asks the kernel only through `act`. */
import { Fragment, h } from 'preact';
import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import * as icons from '../../common/icons';
import * as format from '../../common/format';
import { common, monitor, timeWords, translator } from '../../common/messages';
import { Bar, Button, Confirm, Copy, Facts, Log, More, Note, ProblemNote, Slider, Spark, StateChip, Switch, Tabs, Why } from '../../common/parts';
import type { MenuItem, TabItem, Tone } from '../../common/parts';
import { problemOf } from '../../common/rpc';
import type { ViewProps } from '../../common/widget';
import { LossChart } from './chart';
import type { Hover } from './chart';
import { ended } from './state';
import type { Action_, JobView, MonitorAction, MonitorState, Preview, Tab } from './state';

const t = translator(monitor);
const c = translator(common);
const times = timeWords();
type Props = ViewProps<MonitorState, MonitorAction>;

const TONES: Record<JobView['state'], Tone> = {
  queued: 'run',
  preparing: 'run',
  running: 'run',
  stopping: 'run',
  succeeded: 'ok',
  failed: 'err',
  cancelled: 'idle',
  lost: 'warn'
};

function act({ dispatch, rpc }: Props, action: Action_): void {
  dispatch({ type: 'busy', action });
  rpc.call(action).then(
    () => dispatch({ type: 'done', problem: null }),
    (error: unknown) => dispatch({ type: 'done', problem: problemOf(error) })
  );
}

/** Seconds since the epoch by the kernel's clock, ticking while `on`. */
function useClock(state: MonitorState, on: boolean): number {
  const [, tick] = useState(0);
  useEffect(() => {
    if (!on) return undefined;
    const timer = setInterval(() => tick(n => n + 1), 1000);
    return () => clearInterval(timer);
  }, [on]);
  return (state.job?.now ?? 0) + (performance.now() / 1000 - state.seen);
}

function Chip({ job }: { job: JobView }): VNode {
  if (job.paused && job.state === 'running') return <StateChip tone="warn">{t('paused')}</StateChip>;
  const serving = job.kind === 'deploy' && job.state === 'running';
  return <StateChip tone={serving ? 'ok' : TONES[job.state]}>{serving ? t('serving') : t(job.state)}</StateChip>;
}

function facts(job: JobView): ComponentChildren[] {
  const { data } = job;
  return [
    job.base && (job.method ? `${job.base} → ${job.method}` : job.base),
    data && `${data.name}, ${t('rows', { rows: format.integer(data.rows) })}`,
    job.device
  ];
}

function endFacts({ job, data }: { job: JobView; data: MonitorState['data'] }): ComponentChildren[] {
  const evals = data.eval.y;
  const best = data.bestEval;
  const took = job.started_at && job.ended_at ? format.elapsed(job.ended_at - job.started_at, times) : '';
  const steps = format.integer(job.step ?? data.lastStep);
  return [
    job.state === 'succeeded'
      ? took && t('inTime', { steps, time: took })
      : job.step !== null && t('stoppedAt', { step: steps, steps: format.integer(job.max_steps) }),
    evals.length > 0 && (
      <>
        {evals.length > 1 ? t('evalLossFrom', { first: format.loss(evals.at(0)), last: '' }) : t('evalLoss', { last: '' })}
        <b class="wb-b">{format.loss(evals.last())}</b>
        {best && evals.length > 1 && `, ${t('bestFact', { step: format.integer(best.step) })}`}
      </>
    ),
    job.state !== 'succeeded' && job.checkpoint !== null && t('checkpointSafe', { step: format.integer(job.checkpoint) })
  ];
}

function Buttons(props: Props & { job: JobView }): VNode {
  const { job, state, dispatch } = props;
  const can = (action: Action_): boolean => job.actions.includes(action);
  const off = state.busy !== null;
  const menu: MenuItem[] = [];
  if (can('save')) menu.push({ title: t('saveNow'), icon: icons.save, run: () => act(props, 'save') });
  if ((can('stop') && job.kind !== 'deploy') || (can('cancel') && job.state === 'stopping')) menu.push({ title: t('stopNow'), icon: icons.x, run: () => dispatch({ type: 'ask', on: true }) });
  menu.push({ title: t('copyId'), icon: icons.copy, run: () => void navigator.clipboard.writeText(job.id) });
  return (
    <>
      {can('continue') && job.state !== 'failed' && (
        <Button class="main" icon={icons.play} disabled={off} onClick={() => act(props, 'continue')}>
          {t('continueFrom', { step: format.integer(job.checkpoint) })}
        </Button>
      )}
      {can('again') && job.state !== 'failed' && (
        <Button icon={icons.retry} disabled={off} onClick={() => act(props, 'again')}>
          {t('tryAgain')}
        </Button>
      )}
      {can('stop') && (
        <Button icon={icons.stop} disabled={off} onClick={() => act(props, 'stop')}>
          {job.kind === 'deploy' ? t('stopServing') : t('stopAndSave')}
        </Button>
      )}
      {can('pause') && (
        <Button icon={icons.pause} disabled={off} onClick={() => act(props, 'pause')}>
          {t('pause')}
        </Button>
      )}
      {can('unpause') && (
        <Button class="main" icon={icons.play} disabled={off} onClick={() => act(props, 'unpause')}>
          {t('resume')}
        </Button>
      )}
      {can('cancel') && job.state !== 'stopping' && (
        <Button disabled={off} onClick={() => act(props, 'cancel')}>
          {c('cancel')}
        </Button>
      )}
      <More items={menu} label={c('more')} />
    </>
  );
}

function Head(props: Props & { job: JobView }): VNode {
  const { job, state } = props;
  const finished = job.state === 'succeeded';
  const over = ended(job.state);
  const title = (
    <div>
      <div class="wb-row">
        <span class="wb-title wb-cut">{job.name}</span>
        <Chip job={job} />
      </div>
      <Facts items={over ? [...(finished ? [] : facts(job).slice(0, 1)), ...endFacts({ job, data: state.data })] : facts(job)} />
    </div>
  );
  if (!over || !finished) {
    return (
      <header class="head" style={over ? { paddingBottom: 12 } : undefined}>
        {title}
        <Buttons {...props} />
      </header>
    );
  }
  const folded = state.tab !== 'loss' && state.data.train.y.length > 1;
  return (
    <header class="compact">
      {title}
      {folded && <Spark values={state.data.smooth.out.view()} height={32} />}
      <div class="act">
        {job.code && (
          <Copy class="" text={job.code} label={t('copyCode')} done={c('copied')}>
            {t('copyCode')}
          </Copy>
        )}
        <Buttons {...props} />
      </div>
    </header>
  );
}

function Stats({ state, job }: { state: MonitorState; job: JobView }): VNode {
  const now = useClock(state, true);
  const { data } = state;
  const { progress } = job;
  const step = Number.isFinite(data.lastStep) ? Math.max(data.lastStep, job.step ?? 0) : job.step;
  if (step === null || job.kind === 'deploy') {
    const { value, unit } = amount(progress.done, progress.total, progress.unit);
    return (
      <div class="stats">
        <div class="what">
          {progress.text || progress.phase || t(job.state)} {value && <b>{value}</b>} {unit}
        </div>
        {progress.eta !== null && (
          <div>
            {t('left')} <b>{c('about', { time: format.estimate(progress.eta, times) })}</b>
          </div>
        )}
        {job.started_at !== null && (
          <div>
            {t('elapsed')} <b>{format.elapsed(now - job.started_at, times)}</b>
          </div>
        )}
      </div>
    );
  }
  const total = job.max_steps;
  const left = progress.eta ?? (total === null ? null : (total - step) * data.stepTime);
  const running = job.state === 'running' && !job.paused;
  return (
    <div class="stats">
      <div>
        {t('step')} <b>{format.integer(step)}</b>
        {total !== null && ` / ${format.integer(total)}`}
      </div>
      {Number.isFinite(data.lastEpoch) && (
        <div>
          {t('epoch')} <b>{format.fixed(data.lastEpoch, 2)}</b>
          {job.epochs !== null && ` / ${Number.isInteger(job.epochs) ? job.epochs : format.fixed(job.epochs, 1)}`}
        </div>
      )}
      {job.started_at !== null && (
        <div>
          {t('elapsed')} <b>{format.elapsed(now - job.started_at, times)}</b>
        </div>
      )}
      {running && left !== null && Number.isFinite(left) && left >= 1 && (
        <div>
          {t('left')} <b>{c('about', { time: format.estimate(left, times) })}</b>
        </div>
      )}
      {Number.isFinite(data.stepTime) && (
        <div class="opt">
          {t('stepTime')} <b>{format.duration(data.stepTime, times)}</b>
        </div>
      )}
      {!running && (progress.text || job.state !== 'running') && <div class="what">{progress.text || t(job.state)}</div>}
    </div>
  );
}

function amount(done: number | null, total: number | null, unit: string): { value: string; unit: string } {
  if (done === null) return { value: '', unit: '' };
  if (unit === 'B' || unit === 'bytes') {
    const part = format.size(done, total ?? done);
    return { value: part.value, unit: total === null ? part.unit : `/ ${format.bytes(total)}` };
  }
  return { value: format.integer(done), unit: total === null ? unit : `/ ${format.integer(total)} ${unit}` };
}

function Progress({ state, job }: { state: MonitorState; job: JobView }): VNode {
  const best = state.data.bestEval;
  const { done, total } = job.progress;
  const step = Number.isFinite(state.data.lastStep) ? Math.max(state.data.lastStep, job.step ?? 0) : job.step;
  const share = step !== null && job.max_steps ? step / job.max_steps : done !== null && total ? done / total : null;
  return (
    <div class="prog">
      <Bar share={share} label={t('progress', { name: job.name })} />
      {best && job.max_steps && state.data.eval.x.length > 1 ? (
        <span class="tick" style={{ left: `${(best.step / job.max_steps) * 100}%` }} title={t('bestTick', { step: format.integer(best.step) })} />
      ) : null}
    </div>
  );
}

function Chart({ state, dispatch }: Props): VNode {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<LossChart | null>(null);
  const [hover, setHover] = useState<Hover | null>(null);
  const { data, logScale, version } = state;
  useEffect(() => {
    const labels = { firstStep: (step: string) => t('firstStep', { step }), best: (step: string) => t('bestEval', { step }) };
    const made = new LossChart(host.current as HTMLDivElement, 264, labels, setHover);
    chart.current = made;
    return () => made.destroy();
  }, []);
  useEffect(() => chart.current?.show(data, logScale), [data, logScale, version]);
  const evals = data.eval.y;
  const judged = hover ? data.evalAt(hover.step) : null;
  const flip = hover !== null && hover.left + 12 + 168 > hover.width;
  return (
    <>
      <div class="tools">
        <span class="name">{t('loss')}</span>
        <span class="leg">
          <i />
          {t('train')} <b>{format.loss(data.smooth.out.last())}</b>
        </span>
        {evals.length > 0 && (
          <span class="leg">
            <i class="e" />
            {t('eval')} <b>{format.loss(evals.last())}</b>
          </span>
        )}
        <span class="leg">
          <i class="r" />
          {t('raw')}
        </span>
        <label class="wb-push">
          {t('smoothing')}
          <Slider value={state.smoothing} min={0} max={0.99} step={0.01} label={t('smoothing')} onChange={value => dispatch({ type: 'smoothing', value })} />
          <span>{format.fixed(state.smoothing, 2)}</span>
        </label>
        <label>
          {t('logSwitch')} <Switch on={logScale} label={t('logScale')} onChange={on => dispatch({ type: 'logScale', on })} />
        </label>
      </div>
      <figure
        class="plot"
        style={{ '--h': '264px' }}
        role="img"
        aria-label={t('chartLabel', { train: format.loss(data.smooth.out.last()), eval: format.loss(evals.last()) })}
      >
        <div ref={host} />
        {hover && (
          <div class="read" style={flip ? { left: hover.left - 12 - 168 } : { left: hover.left + 12 }}>
            <div>
              <b>{t('firstStep', { step: format.integer(hover.step) })}</b>
              {Number.isFinite(data.epochAt(hover.step)) && <span>{t('epochAt', { epoch: format.fixed(data.epochAt(hover.step), 2) })}</span>}
            </div>
            <div>
              <span class="leg">
                <i />
                {t('train')}
              </span>
              <b>{format.loss(hover.smooth)}</b>
            </div>
            <div>
              <span class="leg">
                <i class="r" />
                {t('raw')}
              </span>
              <b>{format.loss(hover.raw)}</b>
            </div>
            {judged && (
              <div>
                <span class="leg">
                  <i class="e" />
                  {t('evalAt', { step: format.integer(judged.step) })}
                </span>
                <b>{format.loss(judged.value)}</b>
              </div>
            )}
          </div>
        )}
      </figure>
    </>
  );
}

const COUNTS = ['', 'one', 'two', 'three', 'four'];

function Tiles({ state, job }: { state: MonitorState; job: JobView }): VNode | null {
  const { data } = state;
  const tiles: VNode[] = [];
  const add = (name: string, title: string, show: (last: number) => ComponentChildren, scale: { from?: number; to?: number; fill?: boolean } = {}): void => {
    const values = data.other(name);
    if (!values?.length) return;
    tiles.push(
      <div key={name}>
        <div class="top">
          {title}
          <span>{show(values[values.length - 1])}</span>
        </div>
        <Spark values={values} height={40} {...scale} />
      </div>
    );
  };
  add('learning_rate', t('learningRate'), v => <b>{format.scientific(v)}</b>, { from: 0 });
  add('grad_norm', t('gradNorm'), v => <b>{format.measure(v)}</b>);
  add('tokens_per_second', t('tokensPerSecond'), v => <b>{format.integer(v)}</b>, { from: 0 });
  const limit = job.memory_total;
  add(
    'memory',
    t('memory'),
    v => {
      if (!limit) return <b>{format.bytes(v)}</b>;
      const { value } = format.size(v, limit);
      return (
        <>
          <b>{value}</b> / {format.bytes(limit)}
        </>
      );
    },
    { from: 0, fill: true, ...(limit ? { to: limit } : {}) }
  );
  return tiles.length ? (
    <div class={`multi ${COUNTS[tiles.length] ?? ''}`} style={{ '--n': tiles.length }}>
      {tiles}
    </div>
  ) : null;
}

function Notices(props: Props & { job: JobView }): VNode | null {
  const { job, state, dispatch } = props;
  const best = state.data.bestEval;
  const id = best ? `best-${best.step}` : '';
  const advice = !ended(job.state) && best !== null && best.after >= 3 && !state.dismissed.has(id);
  const notices = job.notices.filter(n => !state.dismissed.has(String(n.id))).slice(-2);
  if (!advice && !notices.length && !state.problem) return null;
  return (
    <div class="alarm">
      {state.problem && <ProblemNote problem={state.problem} dismiss={c('dismiss')} onDismiss={() => dispatch({ type: 'done', problem: null })} />}
      {advice && (
        <Note
          level="warn"
          dismiss={c('dismiss')}
          onDismiss={() => dispatch({ type: 'dismiss', id })}
          action={
            job.actions.includes('stop') && (
              <Button class="s" onClick={() => act(props, 'stop')}>
                {t('stopAndSave')}
              </Button>
            )
          }
        >
          {t('notImproving', { count: best.after, loss: format.loss(best.value), step: format.integer(best.step) })}
        </Note>
      )}
      {notices.map(n => (
        <Note key={n.id} level={n.level === 'warning' ? 'warn' : 'info'} dismiss={c('dismiss')} onDismiss={() => dispatch({ type: 'dismiss', id: String(n.id) })}>
          {n.text}
        </Note>
      ))}
    </div>
  );
}

function Config({ job }: { job: JobView }): VNode {
  return (
    <>
      <dl class="kv">
        {job.config.map(row => (
          <div key={row.name}>
            <dt>{row.name}</dt>
            <dd>{row.set ? <em>{row.value}</em> : row.value}</dd>
          </div>
        ))}
      </dl>
      <p class={`wb-xs wb-2 ${job.config.some(row => row.set) ? 'dotted' : ''}`} style={{ marginTop: 8 }}>
        {job.config.some(row => row.set) ? t('configSet', { backend: job.backend }) : t('configNone')}
      </p>
    </>
  );
}

function DataRows({ rpc, dispatch, state, job }: Props & { job: JobView }): VNode {
  const { preview } = state;
  useEffect(() => {
    if (preview) return;
    rpc.call<Preview>('preview').then(
      ({ result }) => dispatch({ type: 'preview', preview: result }),
      (error: unknown) => dispatch({ type: 'done', problem: problemOf(error) })
    );
  }, []);
  const { data } = job;
  return (
    <>
      <Facts
        items={
          data
            ? [data.name, t('trainRows', { rows: format.integer(data.rows) }), data.eval_rows > 0 && t('evalRows', { rows: format.integer(data.eval_rows) })]
            : []
        }
      />
      {preview && !preview.rows.length && <p class="wb-s wb-2">{t('dataNone')}</p>}
      {preview && preview.rows.length > 0 && (
        <table class="dtab" style={{ marginTop: 12 }}>
          <thead>
            <tr>
              <th>{t('dataRow')}</th>
              <th>{t('dataPrompt')}</th>
              <th>{t('dataAnswer')}</th>
            </tr>
          </thead>
          <tbody>
            {preview.rows.map(row => (
              <tr key={row.row}>
                <td>{format.integer(row.row)}</td>
                <td>{row.prompt}</td>
                <td>{row.answer}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

function Panel(props: Props & { job: JobView }): VNode | null {
  const { state, job } = props;
  switch (state.tab) {
    case 'loss':
      return (
        <>
          <Chart {...props} />
          <Tiles state={state} job={job} />
        </>
      );
    case 'config':
      return <Config job={job} />;
    case 'log':
      return state.log ? <Log text={state.log} follow={state.follow} label={t('log')} height={260} /> : <p class="wb-s wb-2">{t('logNone')}</p>;
    case 'data':
      return <DataRows {...props} />;
    case null:
      return null;
  }
}

function Failed(props: Props & { job: JobView }): VNode | null {
  const { job, state } = props;
  if (job.state !== 'failed' && job.state !== 'lost') return null;
  const cause = job.failure?.cause ?? (job.state === 'lost' ? t('lostCause') : '');
  const fix = job.failure?.fix ?? (job.state === 'lost' && job.checkpoint !== null ? t('lostFix') : '');
  const tail = job.failure?.log_tail || state.log.split('\n').slice(-12).join('\n');
  return (
    <div class="fail" style={{ paddingTop: 0 }}>
      <Why cause={cause} fix={fix} words={{ cause: c('cause'), fix: c('fix') }} />
      {tail && <Log text={tail} label={t('log')} height={220} follow />}
      <div class="wb-row wb-wrap">
        {job.state === 'failed' && job.actions.includes('continue') && (
          <Button class="main" icon={icons.play} disabled={state.busy !== null} onClick={() => act(props, 'continue')}>
            {t('continueFrom', { step: format.integer(job.checkpoint) })}
          </Button>
        )}
        {job.state === 'failed' && job.actions.includes('again') && (
          <Button class="main" icon={icons.retry} disabled={state.busy !== null} onClick={() => act(props, 'again')}>
            {t('tryAgain')}
          </Button>
        )}
        {tail && (
          <Copy class="ghost quiet" text={tail} label={c('copyLog')} done={c('copied')}>
            {c('copyLog')}
          </Copy>
        )}
      </div>
    </div>
  );
}

export function View(props: Props): VNode | null {
  const { state, dispatch } = props;
  const { job, data } = state;
  if (!job) return null;
  const over = ended(job.state);
  const training = job.kind !== 'deploy';
  const points = data.train.y.length + data.eval.y.length > 0;
  const tabs: TabItem<Tab>[] = [];
  if (over && training && points) tabs.push({ id: 'loss', title: t('loss') });
  if (job.config.length) tabs.push({ id: 'config', title: t('config') });
  tabs.push({ id: 'log', title: t('log') });
  if (job.data) tabs.push({ id: 'data', title: t('data') });
  const chosen = tabs.some(tab => tab.id === state.tab) ? state.tab : null;
  const panel = `wb-${job.id}-panel`;
  return (
    <section class="wb-card" aria-label={t('card', { name: job.name })}>
      <Head {...props} job={job} />
      {!over && <Stats state={state} job={job} />}
      {!over && <Progress state={state} job={job} />}
      {!over && training && points && <Chart {...props} />}
      {!over && training && !points && (
        <div class="none-yet">
          <span>{t('waitFirst')}</span>
        </div>
      )}
      {!over && training && <Tiles state={state} job={job} />}
      {job.endpoint && !over && (
        <div class="use">
          <span>{t('endpoint')}</span>
          <code class="wb-cut">{job.endpoint}</code>
          <Copy text={job.endpoint} label={t('copyPath')} done={c('copied')} />
        </div>
      )}
      <Failed {...props} job={job} />
      {state.asking && (
        <Confirm
          question={t('stopNowAsk', { name: job.name })}
          lost={t('stopNowLost')}
          yes={t('stopNow')}
          no={c('cancel')}
          onYes={() => act(props, 'cancel')}
          onNo={() => dispatch({ type: 'ask', on: false })}
        />
      )}
      <Notices {...props} job={job} />
      <Tabs items={tabs} chosen={chosen} panel={panel} onChoose={tab => dispatch({ type: 'tab', tab })}>
        {chosen === 'log' && (
          <label class="wb-push wb-row wb-s wb-2">
            {t('follow')} <Switch on={state.follow} label={t('followLog')} onChange={on => dispatch({ type: 'follow', on })} />
          </label>
        )}
        {chosen === 'config' && (
          <span class="wb-push wb-row">
            <Copy text={job.config.map(row => `${row.name}: ${row.value}`).join('\n')} label={t('copyConfig')} done={c('copied')} />
          </span>
        )}
      </Tabs>
      <div class={`body ${chosen === 'loss' ? 'chart' : ''}`} role="tabpanel" id={panel}>
        {chosen && <Panel {...props} job={job} />}
      </div>
    </section>
  );
}
