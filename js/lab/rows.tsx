/** The parts of the sidebar: a section, a line with its actions, the bars of the machine. They draw what they are given. */
import * as React from 'react';
import { bytes, percent, size } from '../common/format';
import { fraction } from './describe';
import type { Line } from './describe';
import { Icon } from './icons';
import type { IconName } from './icons';
import { cut } from './state';
import type { Gpu, Holder, Job, Machine } from './types';
import { say } from './words';

export interface Action {
  readonly icon: IconName;
  readonly label: string;
  readonly run: () => void;
}

interface SectionProps {
  readonly title: string;
  readonly count: string;
  readonly shut: boolean;
  readonly onToggle: () => void;
  readonly add?: Action;
  readonly children: React.ReactNode;
}

export function Section({ title, count, shut, onToggle, add, children }: SectionProps): React.ReactElement {
  return (
    <section className={`wb-sec${shut ? ' is-shut' : ''}`} aria-label={title}>
      <header>
        <button type="button" className="wb-sec-t" aria-expanded={!shut} onClick={onToggle}>
          <Icon name="chev" />
          {title}
          {count && <small>{count}</small>}
        </button>
        {add && <IconButton {...add} small />}
      </header>
      {!shut && children}
    </section>
  );
}

export function IconButton({ icon, label, run, small }: Action & { readonly small?: boolean }): React.ReactElement {
  return (
    <button
      type="button"
      className={`wb-btn ghost sq quiet${small ? ' s' : ''}`}
      title={label}
      aria-label={label}
      onClick={event => {
        event.stopPropagation();
        run();
      }}
    >
      <Icon name={icon} />
    </button>
  );
}

interface RowProps {
  readonly name: string;
  readonly line: Line;
  readonly search: string;
  readonly selected?: boolean;
  readonly actions: readonly Action[];
  readonly onOpen?: () => void;
  readonly children?: React.ReactNode;
  readonly id?: string;
}

/** One line. Enter opens it; its actions show under the pointer and on focus. */
export function Row({ name, line, search, selected, actions, onOpen, children, id }: RowProps): React.ReactElement {
  return (
    <li
      className={`wb-it${selected ? ' is-sel' : ''}`}
      data-id={id}
      data-tone={line.tone}
      tabIndex={0}
      title={line.title}
      onClick={onOpen}
      onKeyDown={event => {
        if (event.target === event.currentTarget && event.key === 'Enter') onOpen?.();
      }}
    >
      <i className={`wb-dot ${line.tone}`} aria-hidden="true" />
      <b className="wb-cut">
        <Marked text={name} search={search} />
      </b>
      <span className="wb-it-n">{line.note}</span>
      <small className={line.bad ? 'is-bad' : undefined}>{line.detail}</small>
      {children}
      {actions.length > 0 && (
        <span className="wb-it-ac" role="group" aria-label={name}>
          {actions.map(action => (
            <IconButton key={action.label} {...action} />
          ))}
        </span>
      )}
    </li>
  );
}

function Marked({ text, search }: { readonly text: string; readonly search: string }): React.ReactElement {
  const [before, hit, after] = cut(text, search);
  return (
    <>
      {before}
      {hit && <mark>{hit}</mark>}
      {after}
    </>
  );
}

/** The loss so far and how far the run is. */
export function Curve({ job, value }: { readonly job: Job; readonly value: string }): React.ReactElement | null {
  const share = fraction(job);
  if (job.curve.length < 2 && share == null) return null;
  return (
    <div className="wb-it-sp">
      {job.curve.length > 1 && (
        <span className="wb-spark" style={{ '--h': '22px' } as React.CSSProperties}>
          <svg viewBox="0 0 100 22" preserveAspectRatio="none" aria-hidden="true">
            <path className="l1" d={sparkline(job.curve)} />
          </svg>
        </span>
      )}
      {job.curve.length > 1 && <small>{value}</small>}
      {share != null && (
        <span className="wb-bar" role="progressbar" aria-label={job.name} aria-valuenow={Math.round(share * 100)} aria-valuemin={0} aria-valuemax={100}>
          <i style={{ width: `${share * 100}%` }} />
        </span>
      )}
    </div>
  );
}

/** A path in a box of 100 by 22; a flat line lies in the middle. */
export function sparkline(values: readonly number[]): string {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const x = (i: number): string => ((100 * i) / (values.length - 1)).toFixed(1);
  const y = (v: number): string => (high > low ? 20 - (18 * (v - low)) / (high - low) : 11).toFixed(1);
  return values.map((v, i) => `${i ? 'L' : 'M'}${x(i)} ${y(v)}`).join('');
}

const SERIES: Readonly<Record<string, string>> = { finetune: '', deploy: 's2', notebook: 's3', system: 's5' };

function Held({ holders, total }: { readonly holders: readonly Holder[]; readonly total: number }): React.ReactElement {
  const label = holders.map(h => `${h.name} ${bytes(h.memory)}`).join('\n');
  return (
    <span className="wb-bar tall" role="img" aria-label={label} title={label}>
      {holders.map((h, i) => (
        <i key={i} className={SERIES[h.what] ?? 'ext'} style={{ width: `${(100 * h.memory) / total}%` }} />
      ))}
    </span>
  );
}

const heldOf = (used: number, total: number): string =>
  say('memoryOf', { used: size(used, total).value, total: `${size(total).value} ${size(total).unit}` });

const holderCount = (count: number): string => (count === 1 ? say('holder') : say('holders', { count }));

export function GpuRow({ gpu }: { readonly gpu: Gpu }): React.ReactElement {
  const busy = (gpu.use ?? 0) >= 0.1;
  const note = [gpu.use == null ? '' : percent(gpu.use), gpu.temperature == null ? '' : `${gpu.temperature.toFixed(0)} °C`];
  return (
    <li className="wb-it is-plain" tabIndex={0} title={gpu.name}>
      <i className={`wb-dot ${busy ? 'run' : 'idle'}`} aria-hidden="true" />
      <b className="wb-cut">{say('gpuName', { index: gpu.index })}</b>
      <span className="wb-it-n">{note.filter(Boolean).join(', ')}</span>
      <Held holders={gpu.holders} total={gpu.memory_total} />
      <small>
        {heldOf(gpu.memory_used, gpu.memory_total)}, {holderCount(gpu.holders.length)}
      </small>
    </li>
  );
}

export function CpuRow({ machine }: { readonly machine: Machine }): React.ReactElement {
  return (
    <li className="wb-it is-plain" tabIndex={0}>
      <i className={`wb-dot ${machine.cpu_use >= 0.25 ? 'run' : 'idle'}`} aria-hidden="true" />
      <b className="wb-cut">{say('noGpu')}</b>
      <span className="wb-it-n">{say('cores', { count: machine.cores })}</span>
      <Held holders={machine.holders} total={machine.memory_total} />
      <small>
        {heldOf(machine.memory_used, machine.memory_total)}, {say('cpu', { share: percent(machine.cpu_use) })}
      </small>
    </li>
  );
}
