/** @jsx h */
/** How far the job is, in numbers and as a bar. */
import { h } from 'preact';
import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import * as format from '../../common/format';
import { Bar } from '../../common/parts/state';
import { c, t, times } from './shared';
import type { JobView, MonitorState } from './state';

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

export function Stats({ state, job }: { state: MonitorState; job: JobView }): VNode {
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

export function Progress({ state, job }: { state: MonitorState; job: JobView }): VNode {
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
