/** @jsx h */
/** @jsxFrag Fragment */
/** The loss chart with its legend, controls and readout, and the small charts below it. */
import { Fragment, h } from 'preact';
import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import * as format from '../../common/format';
import { Slider, Switch } from '../../common/parts/choices';
import { Spark } from '../../common/parts/spark';
import { t } from './shared';
import type { Props } from './shared';
import { LossChart } from './chart';
import type { Hover } from './chart';
import type { JobView, MonitorState } from './state';

export function Chart({ state, dispatch }: Props): VNode {
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

export function Tiles({ state, job }: { state: MonitorState; job: JobView }): VNode | null {
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
