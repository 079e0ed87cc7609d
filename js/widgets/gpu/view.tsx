/** @jsx h */
/** @jsxFrag Fragment */
/** The machine's card, drawn from its state. */
import { Fragment, h } from 'preact';
import type { ComponentChildren, VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import * as format from '../../common/format';
import { common, timeWords, translator } from '../../common/messages';
import { Button } from '../../common/parts/button';
import { Confirm } from '../../common/parts/confirm';
import { ProblemNote } from '../../common/parts/notes';
import { Spark } from '../../common/parts/spark';
import { Facts } from '../../common/parts/state';
import { problemOf } from '../../common/rpc';
import type { ViewProps } from '../../common/widget';
import { line } from './state';
import type { GpuAction, GpuState, GpuView, Holder, Machine, Sample } from './state';
import { gpu } from './words';

const t = translator(gpu);
const c = translator(common);
const times = timeWords();
type Props = ViewProps<GpuState, GpuAction>;
const MANY = 8;
const HOT = 6; // degrees below the limit that are worth a look
const SERIES = ['s1', 's2', 's3', 's4'];

/** Our jobs and notebooks take the colours in turn; the rest of the system is slate, strangers are hatched. */
function colours(holders: readonly Holder[]): string[] {
  let next = 0;
  return holders.map(holder => (holder.what === 'outside' ? 'ext' : holder.what === 'system' ? 's5' : (SERIES[next++ % SERIES.length])));
}

const isKind = (what: string): what is 'finetune' | 'deploy' | 'notebook' | 'outside' => ['finetune', 'deploy', 'notebook', 'outside'].includes(what);

function Share({ used, total }: { used: number; total: number }): VNode {
  return (
    <span>
      <b>{format.size(used, total).value}</b> / {format.bytes(total)}
    </span>
  );
}

function MemoryBar({ holders, used, total }: { holders: readonly Holder[]; used: number; total: number }): VNode {
  const names = colours(holders);
  return (
    <div class="wb-bar tall" role="img" aria-label={t('memoryLabel', { used: format.bytes(used), total: format.bytes(total) })}>
      {holders.map((holder, i) => (
        <i key={`${holder.name}${i}`} class={names[i]} style={{ width: `${((holder.memory / total) * 100).toFixed(2)}%` }} title={`${holder.name}, ${format.bytes(holder.memory)}`} />
      ))}
    </div>
  );
}

function Memory({ holders, used, total }: { holders: readonly Holder[]; used: number; total: number }): VNode {
  return (
    <>
      <div class="mem">
        <span>{t('memory')}</span>
        <Share used={used} total={total} />
      </div>
      <MemoryBar holders={holders} used={used} total={total} />
    </>
  );
}

function Holders({ holders, now, dispatch }: { holders: readonly Holder[]; now: number; dispatch: Props['dispatch'] }): VNode {
  const names = colours(holders);
  return (
    <div class="hold" role="table" aria-label={t('heldBy')}>
      <div role="row">
        <span role="columnheader">{t('heldBy')}</span>
        <span class="o" role="columnheader">
          {t('what')}
        </span>
        <span class="wb-num" role="columnheader">
          {t('memory')}
        </span>
        <span class="wb-num" role="columnheader">
          {t('use')}
        </span>
        <span class="wb-num o" role="columnheader">
          {t('for')}
        </span>
        <span />
      </div>
      {holders.map((holder, i) => (
        <div role="row" key={`${holder.name}${holder.job_id}${i}`}>
          <span class="nm" role="cell">
            <i class={`sw ${names[i]}`} />
            <span class="wb-cut">{holder.what === 'system' ? t('system') : holder.name}</span>
          </span>
          <span class="k o" role="cell">
            {isKind(holder.what) ? t(holder.what) : ''}
          </span>
          <span class="wb-num" role="cell">
            {format.bytes(holder.memory)}
          </span>
          <span class="wb-num" role="cell">
            {format.percent(holder.use)}
          </span>
          <span class="wb-num wb-2 o" role="cell">
            {holder.since === null ? '' : format.estimate(now - holder.since, times)}
          </span>
          {holder.can_stop ? (
            <Button class="ghost s quiet" onClick={() => dispatch({ type: 'ask', holder })}>
              {t(holder.what === 'finetune' ? 'stopSave' : 'stopServing')}
            </Button>
          ) : (
            <span class="wb-2">{holder.job_id ? t('stopping') : ''}</span>
          )}
        </div>
      ))}
    </div>
  );
}

interface MetricProps {
  title: string;
  value: ComponentChildren;
  values: Float64Array;
  to: number | null;
  span: number;
}

function Metric({ title, value, values, to, span }: MetricProps): VNode {
  return (
    <div>
      <h3>
        {title}
        <span>{value}</span>
      </h3>
      <Spark values={values} height={40} from={0} fill span={span} {...(to === null ? {} : { to })} />
    </div>
  );
}

function Device({ card, props, machine, span }: { card: GpuView; props: Props; machine: Machine; span: number }): VNode {
  const { past } = props.state;
  const of = (name: keyof Sample['gpus'][string]): Float64Array => line(past, sample => sample.gpus[String(card.index)]?.[name]);
  const hot = card.temperature !== null && card.temperature_limit !== null && card.temperature > card.temperature_limit - HOT;
  return (
    <article class="dev" aria-label={`GPU ${card.index}`}>
      <header>
        <span class="wb-b">GPU {card.index}</span>
        <Facts items={[card.use !== null && t(card.use > 0.5 ? 'busy' : 'idle'), t('free', { size: format.bytes(card.memory_total - card.memory_used) })]} />
      </header>
      <div class="met">
        {card.use !== null && <Metric title={t('use')} value={<b>{format.percent(card.use)}</b>} values={of('use')} to={1} span={span} />}
        {card.memory_traffic !== null && (
          <Metric title={t('traffic')} value={<b>{format.percent(card.memory_traffic)}</b>} values={of('traffic')} to={1} span={span} />
        )}
        {card.power !== null && (
          <Metric
            title={t('power')}
            value={
              <>
                <b>{format.integer(card.power)}</b>
                {card.power_limit === null ? ' W' : ` / ${format.integer(card.power_limit)} W`}
              </>
            }
            values={of('power')}
            to={card.power_limit}
            span={span}
          />
        )}
        {card.temperature !== null && (
          <Metric
            title={t('temperature')}
            value={
              <>
                <b class={hot ? 'hot' : ''}>{format.integer(card.temperature)} °C</b>
                {card.temperature_limit !== null && `, ${t('limit', { value: format.integer(card.temperature_limit) })}`}
              </>
            }
            values={of('temperature')}
            to={card.temperature_limit}
            span={span}
          />
        )}
      </div>
      <Memory holders={card.holders} used={card.memory_used} total={card.memory_total} />
      {card.holders.length > 0 && <Holders holders={card.holders} now={machine.time} dispatch={props.dispatch} />}
    </article>
  );
}

function Strip({ machine, props, span }: { machine: Machine; props: Props; span: number }): VNode {
  return (
    <div class="strip">
      {machine.gpus.map(card => (
        <div key={card.index}>
          <span class="wb-b">GPU {card.index}</span>
          <span class="wb-num">{format.percent(card.use)}</span>
          <Spark values={line(props.state.past, sample => sample.gpus[String(card.index)]?.use)} height={20} from={0} to={1} fill span={span} />
          <MemoryBar holders={card.holders} used={card.memory_used} total={card.memory_total} />
          <span class="wb-num">
            <b class="wb-b">{format.size(card.memory_used, card.memory_total).value}</b> <span class="wb-2">/ {format.bytes(card.memory_total)}</span>
          </span>
          <span class="wb-num wb-2">{card.temperature === null ? '' : `${format.integer(card.temperature)} °C`}</span>
          <span class="wb-2 o wb-num">{card.holders.length || ''}</span>
        </div>
      ))}
    </div>
  );
}

function Processor({ machine, props, span }: { machine: Machine; props: Props; span: number }): VNode {
  const high = Math.max(...machine.per_core, 0);
  const low = Math.min(...machine.per_core, 1);
  return (
    <article class="dev">
      <div class="two">
        <div class="met single">
          <Metric
            title={t('useNow', { time: format.estimate(300, times) })}
            value={<b>{format.percent(machine.cpu_use)}</b>}
            values={line(props.state.past, sample => sample.cpu)}
            to={1}
            span={span}
          />
        </div>
        <div class="met single">
          <div>
            <h3>
              {t('coresNow')}
              {machine.load !== null && <span>{t('load', { value: format.fixed(machine.load, 1) })}</span>}
            </h3>
            <div
              class="cores"
              role="img"
              aria-label={t('coresLabel', { high: format.percent(high), low: format.percent(low) })}
              style={{ '--n': machine.per_core.length, '--g': machine.per_core.length > 48 ? '1px' : '3px' }}
            >
              {machine.per_core.map((use, i) => (
                <i key={i} style={{ height: `${Math.max(2, use * 100)}%` }} />
              ))}
            </div>
          </div>
        </div>
      </div>
      <Memory holders={machine.holders} used={machine.memory_used} total={machine.memory_total} />
      <Holders holders={machine.holders} now={machine.time} dispatch={props.dispatch} />
      {!machine.holders.some(holder => holder.job_id) && <div class="idle">{t('noJobs')}</div>}
    </article>
  );
}

/** `2 × NVIDIA H100, 80 GiB`, one line for each kind. */
function kinds(cards: readonly GpuView[]): string[] {
  const count = new Map<string, number>();
  for (const card of cards) {
    const kind = `${card.name}, ${format.bytes(card.memory_total)}`;
    count.set(kind, (count.get(kind) ?? 0) + 1);
  }
  return [...count].map(([kind, n]) => (n > 1 ? `${n} × ${kind}` : kind));
}

export function View(props: Props): VNode | null {
  const { state, dispatch, rpc } = props;
  const { machine, asking } = state;
  useEffect(() => {
    // The kernel looks only while somebody does.
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') rpc.call('awake').catch(() => undefined);
    }, 8000);
    return () => clearInterval(timer);
  }, []);
  if (!machine) return null;
  const span = Math.max(2, Math.round(300 / state.interval));
  const gpus = machine.gpus.length > 0;
  const stop = (holder: Holder): void => {
    dispatch({ type: 'ask', holder: null });
    rpc.call('stop', { job_id: holder.job_id }).catch((error: unknown) => dispatch({ type: 'problem', problem: problemOf(error) }));
  };
  return (
    <section class="wb-card" aria-label={t('card')}>
      <header class="head">
        <span class="wb-title">{t(gpus ? 'gpus' : 'cpu')}</span>
        <Facts
          items={
            gpus
              ? [...kinds(machine.gpus), machine.driver && t('driver', { version: machine.driver }), machine.cuda && `CUDA ${machine.cuda}`]
              : [
                  t('cores', { count: machine.cores }),
                  t('memoryFact', { size: format.bytes(machine.memory_total) }),
                  machine.disk_free > 0 && t('diskFree', { size: format.bytes(machine.disk_free) })
                ]
          }
        />
      </header>
      {state.problem && (
        <div style={{ padding: '8px 16px' }}>
          <ProblemNote problem={state.problem} dismiss={c('dismiss')} onDismiss={() => dispatch({ type: 'problem', problem: null })} />
        </div>
      )}
      {!gpus && <Processor machine={machine} props={props} span={span} />}
      {gpus && machine.gpus.length >= MANY && <Strip machine={machine} props={props} span={span} />}
      {gpus && machine.gpus.length < MANY && machine.gpus.map(card => <Device key={card.index} card={card} props={props} machine={machine} span={span} />)}
      {asking && (
        <Confirm
          question={t('stopAsk', { name: asking.name })}
          lost={asking.what === 'finetune' ? t('stopLostJob') : t('stopLost', { memory: format.bytes(asking.memory) })}
          yes={t(asking.what === 'finetune' ? 'stopSave' : 'stopServing')}
          no={c('cancel')}
          onYes={() => stop(asking)}
          onNo={() => dispatch({ type: 'ask', holder: null })}
        />
      )}
    </section>
  );
}
