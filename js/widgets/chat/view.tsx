/** @jsx h */
/** @jsxFrag Fragment */
/** The chat's card, put together from its parts. */
import { Fragment, h } from 'preact';
import type { VNode } from 'preact';
import * as icons from '../../common/icons';
import { Button } from '../../common/parts/button';
import { Confirm } from '../../common/parts/confirm';
import { ProblemNote } from '../../common/parts/notes';
import { Facts } from '../../common/parts/state';
import { Composer, Scroll } from './composer';
import { Drawer } from './drawer';
import { modelFacts, Name } from './model';
import { c, call, MARKS, t } from './shared';
import type { Props } from './shared';
import { busy } from './state';
import { Comparison, Conversation, Empty } from './turns';

export function View(props: Props): VNode | null {
  const { state, dispatch } = props;
  const [model] = state.models;
  if (!model) return null;
  const many = state.models.length > 1;
  const names = state.models.map(m => m.name).join(', ');
  const key = (event: KeyboardEvent): void => {
    if (event.key === 'Escape' && busy(state)) void call(props, 'stop');
  };
  return (
    <section class="wb-card" aria-label={t('card', { name: names })} onKeyDown={key}>
      <header class="bar" style={many ? { paddingLeft: 16 } : undefined}>
        {many ? <span class="wb-title">{t('compare')}</span> : <Name model={model} />}
        {many ? (
          <>
            {state.models.map((one, i) => (
              <span class="wb-row" key={i} style={{ gap: 0, marginLeft: 8 }}>
                <span class={`mark ${i ? 'b' : ''}`}>{MARKS[i]}</span>
                <Name model={one} />
              </span>
            ))}
          </>
        ) : (
          <Facts items={modelFacts(model)} />
        )}
        <span class="wb-push" />
        <Button class="ghost sq quiet" icon={icons.tune} label={t('parameters')} pressed={state.drawer} onClick={() => dispatch({ type: 'drawer' })} />
        <Button
          class="ghost sq quiet"
          icon={icons.compose}
          label={t('clear')}
          disabled={!state.exchanges.length}
          onClick={() => dispatch({ type: 'ask', on: true })}
        />
      </header>
      <div class={`split ${state.drawer ? 'open' : ''}`}>
        <div style={{ minWidth: 0 }}>
          {state.asking && (
            <Confirm
              question={t('clearAsk')}
              lost={t('clearLost')}
              yes={t('clear')}
              no={c('cancel')}
              onYes={() => {
                dispatch({ type: 'ask', on: false });
                void call(props, 'clear');
              }}
              onNo={() => dispatch({ type: 'ask', on: false })}
            />
          )}
          <Scroll state={state}>
            {state.exchanges.length === 0 ? <Empty {...props} /> : many ? <Comparison {...props} /> : <Conversation {...props} />}
          </Scroll>
          {state.problem && (
            <div style={{ margin: '0 16px 12px' }}>
              <ProblemNote problem={state.problem} dismiss={c('dismiss')} onDismiss={() => dispatch({ type: 'problem', problem: null })} />
            </div>
          )}
          <div style={many && state.exchanges.length ? { borderTop: '1px solid var(--wb-line)', paddingTop: 16 } : undefined}>
            <Composer {...props} />
          </div>
        </div>
        {state.drawer && <Drawer {...props} />}
      </div>
    </section>
  );
}
