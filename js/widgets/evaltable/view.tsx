/** @jsx h */
/** The evaluation's card, put together from its parts. */
import { h } from 'preact';
import type { VNode } from 'preact';
import { ProblemNote } from '../../common/parts/notes';
import { Cards } from './cards';
import { HeadRow } from './head';
import { c, t } from './shared';
import type { Props } from './shared';
import { Table } from './table';
import { Tools } from './tools';

export function View(props: Props): VNode | null {
  const { state, dispatch } = props;
  const { head } = state;
  if (!head) return null;
  const inner = { ...props, head };
  return (
    <section class="wb-card" aria-label={t('card', { name: head.name })}>
      <HeadRow {...inner} />
      <Cards head={head} />
      {state.problem && (
        <div style={{ padding: '8px 12px' }}>
          <ProblemNote problem={state.problem} dismiss={c('dismiss')} onDismiss={() => dispatch({ type: 'problem', problem: null })} />
        </div>
      )}
      <Tools {...inner} />
      <Table {...inner} />
    </section>
  );
}
