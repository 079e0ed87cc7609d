/** @jsx h */
/** Filters, search, the choice of a score, and the download. */
import { h } from 'preact';
import type { VNode } from 'preact';
import * as format from '../../common/format';
import * as icons from '../../common/icons';
import { Button, Glyph } from '../../common/parts/button';
import { Segments } from '../../common/parts/choices';
import { problemOf } from '../../common/rpc';
import { t } from './shared';
import type { Inner, Props } from './shared';
import type { Filter } from './state';

function download({ rpc, dispatch }: Props): void {
  rpc.call<{ name: string }>('csv', {}, 120).then(
    ({ result, buffers }) => {
      const link = document.createElement('a');
      link.href = URL.createObjectURL(new Blob(buffers.map(b => new Uint8Array(b.buffer as ArrayBuffer, b.byteOffset, b.byteLength)), { type: 'text/csv' }));
      link.download = result.name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    },
    (error: unknown) => dispatch({ type: 'problem', problem: problemOf(error) })
  );
}

export function Tools(props: Inner): VNode {
  const { head, state, dispatch } = props;
  const pair = head.models.length > 1;
  const { counts } = state;
  const choices: readonly (readonly [Filter, string])[] = pair
    ? [
        ['all', t('all')],
        ['different', t('different')],
        ['improved', t('improved')],
        ['regressions', t('regressions')],
        ['errors', t('errors')]
      ]
    : [
        ['all', t('all')],
        ...(head.scores.length ? [['wrong', t('wrong')] as const] : []),
        ['errors', t('errors')]
      ];
  return (
    <div class="bar">
      <Segments
        label={t('row')}
        chosen={state.filter}
        items={choices.map(([id, title]) => ({ id, title, ...(counts ? { count: format.integer(counts[id]) } : {}) }))}
        onChoose={filter => dispatch({ type: 'filter', filter })}
      />
      <span class="wb-row wb-push" style={{ flex: '0 1 auto' }}>
        <label class="wb-field">
          <Glyph icon={icons.search} />
          <input placeholder={t('search')} aria-label={t('search')} value={state.search} onInput={event => dispatch({ type: 'search', text: event.currentTarget.value })} />
        </label>
        {head.scores.length > 1 && (
          <label class="pick">
            {t('scoreChoice')}
            <select value={state.score} aria-label={t('scoreChoice')} onChange={event => dispatch({ type: 'score', score: event.currentTarget.value })}>
              {head.scores.map(score => (
                <option key={score.name} value={score.name}>
                  {score.title}
                </option>
              ))}
            </select>
          </label>
        )}
        <Button class="sq" icon={icons.down} label={t('csv')} onClick={() => download(props)} />
      </span>
    </div>
  );
}
