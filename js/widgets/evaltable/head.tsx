/** @jsx h */
/** @jsxFrag Fragment */
/** Name, state, facts, and what can be done with the whole evaluation. */
import { Fragment, h } from 'preact';
import type { ComponentChildren, VNode } from 'preact';
import * as format from '../../common/format';
import * as icons from '../../common/icons';
import { Button } from '../../common/parts/button';
import { Bar, Facts, StateChip } from '../../common/parts/state';
import { problemOf } from '../../common/rpc';
import { difference, Mark, value } from './cards';
import { c, errorWords, t, times } from './shared';
import type { Inner } from './shared';
import type { Head } from './state';

function soFar(head: Head): string {
  const [first] = head.summary;
  if (!first) return '';
  if (head.models.length < 2) return first.means[0] == null ? '' : t('soFar', { score: first.title, value: value(first.means[0], first.unit) });
  if (first.difference === null) return '';
  const said = { score: first.title, difference: difference(first.difference, first.unit) };
  return first.verdict === 'inconclusive' ? t('notSettled', said) : t('soFar', { score: said.score, value: said.difference });
}

export function HeadRow(props: Inner): VNode {
  const { head, state, rpc, dispatch } = props;
  const running = head.state === 'running';
  const pair = head.models.length > 1;
  const stop = (): void => {
    dispatch({ type: 'busy', on: true });
    rpc.call('stop').catch((error: unknown) => dispatch({ type: 'problem', problem: problemOf(error) }));
  };
  const facts: ComponentChildren[] = running
    ? [
        t('doneRows', { done: format.integer(head.done), total: format.integer(head.total) }),
        head.errors > 0 && errorWords(head.errors),
        head.eta !== null && head.eta >= 1 && t('left', { time: c('about', { time: format.estimate(head.eta, times) }) }),
        soFar(head)
      ]
    : [
        ...[head.baseline, ...(pair ? [head.candidate] : [])].map(model => (
          <>
            {pair && <Mark model={model} candidate={head.candidate} />}
            {pair ? ` ${head.models[model] ?? ''}` : head.models[model]}
            {pair && model === head.baseline && `, ${t('baseline')}`}
          </>
        )),
        head.done < head.total
          ? t('doneRows', { done: format.integer(head.done), total: format.integer(head.total) })
          : t('rowsFact', { rows: format.integer(head.total), errors: errorWords(head.errors) }),
        format.elapsed(head.elapsed, times)
      ];
  return (
    <>
      <header class="head">
        <div>
          <div class="wb-row">
            <span class="wb-title wb-cut">{head.name}</span>
            <StateChip tone={running ? 'run' : head.state === 'finished' ? 'ok' : 'idle'}>{t(running ? 'evaluating' : head.state)}</StateChip>
          </div>
          <Facts items={facts} />
        </div>
        {head.models.length > 2 && (
          <label class="pick">
            <Mark model={head.candidate} candidate={head.candidate} />
            <select
              value={head.candidate}
              onChange={event =>
                void rpc.call('pair', { candidate: Number(event.currentTarget.value) }).catch((error: unknown) => dispatch({ type: 'problem', problem: problemOf(error) }))
              }
            >
              {head.models.map((name, model) => model > 0 && <option value={model}>{name}</option>)}
            </select>
          </label>
        )}
        {running && (
          <Button icon={icons.stop} disabled={state.busy} onClick={stop}>
            {c('stop')}
          </Button>
        )}
      </header>
      {running && <Bar share={head.total ? head.done / head.total : null} label={t('progress', { name: head.name })} square />}
    </>
  );
}
