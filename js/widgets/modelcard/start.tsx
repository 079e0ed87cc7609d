/** @jsx h */
/** @jsxFrag Fragment */
/** The start of a model: its steps, how far the present one is, and the log when nothing moves. */
import { Fragment, h } from 'preact';
import type { VNode } from 'preact';
import * as format from '../../common/format';
import * as icons from '../../common/icons';
import { timeWords } from '../../common/messages';
import { Glyph } from '../../common/parts/button';
import { Log } from '../../common/parts/log';
import { Bar } from '../../common/parts/state';
import type { Card, Step } from './state';

const times = timeWords();

/** `4 / 17 shards`, `5 / 8.1 GiB`; of a step that is done: how long it took. */
export function said(step: Step, progress: Card['progress']): string {
  if (step.state === 'done') return step.seconds !== null && step.seconds >= 0.5 ? format.duration(step.seconds, times) : '';
  const done = progress?.done ?? null;
  const total = progress?.total ?? null;
  if (done === null || total === null) return '';
  if (progress?.unit === 'B' || progress?.unit === 'bytes') return `${format.size(done, total).value} / ${format.bytes(total)}`;
  if (progress?.unit === '%') return format.percent(done / total);
  return `${format.integer(done)} / ${format.integer(total)} ${progress?.unit ?? ''}`;
}

export function Steps({ card }: { card: Card }): VNode | null {
  const { progress } = card;
  if (!card.steps.length) return null;
  return (
    <>
      <ol class="steps">
        {card.steps.map((step, i) => {
          const now = step.state === 'now';
          const total = now ? (progress?.total ?? null) : null;
          const done = now ? (progress?.done ?? null) : null;
          return (
            <li key={i} class={step.state}>
              {now ? <i class="wb-dot run" /> : <Glyph icon={icons.check} />}
              <span class={total === null ? 'wide' : 'wb-cut'} title={step.title}>
                {step.title}
              </span>
              {total !== null && <Bar share={done === null ? null : done / total} label={step.title} />}
              <span class="spent">{said(step, progress)}</span>
            </li>
          );
        })}
      </ol>
      {card.log && <Log text={card.log} label="log" height={160} follow />}
    </>
  );
}
