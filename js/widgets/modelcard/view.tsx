/** @jsx h */
/** @jsxFrag Fragment */
/** The model's card, drawn from its state. */
import { Fragment, h } from 'preact';
import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { engineName } from '../../common/engines';
import * as format from '../../common/format';
import * as icons from '../../common/icons';
import { inserter } from '../../common/insert';
import { common, timeWords, translator } from '../../common/messages';
import { Button, Glyph } from '../../common/parts/button';
import { Confirm } from '../../common/parts/confirm';
import { Copy } from '../../common/parts/copy';
import { Log } from '../../common/parts/log';
import { ProblemNote, Why } from '../../common/parts/notes';
import { Facts, StateChip } from '../../common/parts/state';
import type { Tone } from '../../common/parts/state';
import { problemOf } from '../../common/rpc';
import type { ViewProps } from '../../common/widget';
import { Numbers } from './numbers';
import { Steps } from './start';
import type { Card, CardAct, CardAction, CardState, CardStateName } from './state';
import { modelcard } from './words';

const t = translator(modelcard);
const c = translator(common);
const times = timeWords();
const thousands = (count: number): string => format.fixed(count / 1024, count % 1024 && count < 10_240 ? 1 : 0);
type Props = ViewProps<CardState, CardAction>;
type Inner = Props & { card: Card };

const TONES: Record<CardStateName, Tone> = {
  idle: 'idle',
  queued: 'run',
  preparing: 'run',
  running: 'ok',
  stopping: 'run',
  failed: 'err',
  lost: 'warn',
  cancelled: 'idle',
  succeeded: 'idle'
};

/** The word of a state: an engine that hangs, or is started again, has one of its own. */
function wordOf(card: Card): CardStateName | 'ready' | 'hung' | 'restarting' {
  if (card.hosted) return 'ready';
  if (card.actions.includes('restart')) return 'hung';
  return card.restarting ? 'restarting' : card.state;
}

function act({ rpc, dispatch }: Props, name: CardAct): void {
  dispatch({ type: 'act', act: name });
  rpc.call(name).catch((error: unknown) => dispatch({ type: 'problem', problem: problemOf(error) }));
}

function useNow(card: Card | null, seen: number): number {
  const [, tick] = useState(0);
  const on = card?.state === 'running';
  useEffect(() => {
    if (!on) return undefined;
    const timer = setInterval(() => tick(n => n + 1), 1000);
    return () => clearInterval(timer);
  }, [on]);
  return (card?.now ?? 0) + performance.now() / 1000 - seen;
}

/** `2.5 M`, `4.0 B`. */
function count(parameters: number): string {
  const [by, unit] = parameters >= 1e9 ? [1e9, 'B'] : parameters >= 1e6 ? [1e6, 'M'] : [1e3, 'K'];
  return `${format.fixed(parameters / by, 1)} ${unit}`;
}

function facts({ card, state }: Inner, now: number): ComponentChildren[] {
  const { meta, details } = card;
  const same = card.base === card.name || card.base.endsWith(`/${card.name}`);
  const model = [
    !same && card.base.split('/').pop(),
    meta && meta.parameters > 0 && t('parameters', { count: count(meta.parameters) }),
    meta && meta.size > 0 && [format.bytes(meta.size), meta.dtype].filter(Boolean).join(', '),
    meta && meta.context > 0 && t('context', { count: thousands(meta.context) }),
    details.quantization
  ];
  if (card.hosted) return [t('hosted'), ...model];
  if (card.state === 'running') {
    return [
      model[0],
      model[1],
      engineName(card.engine),
      card.started_at !== null && t('up', { time: format.estimate(now - card.started_at, times) }),
      details.ttl > 0 && t('stopsIdle', { time: format.estimate(details.ttl, times) }),
      details.restarts > 0 && (details.restarts === 1 ? t('restartedOnce') : t('restarted', { count: format.integer(details.restarts) }))
    ];
  }
  if (card.state === 'preparing' || card.state === 'queued') {
    const eta = card.progress?.eta ?? null;
    return [engineName(card.engine), eta !== null && c('about', { time: format.estimate(eta, times) })];
  }
  if (card.state === 'failed') return [engineName(card.engine), state.card?.endpoint];
  return model;
}

function Buttons(props: Inner): VNode | null {
  const { card, state, dispatch } = props;
  const can = (name: CardAct): boolean => card.actions.includes(name);
  const off = state.asked !== null;
  const insert = inserter();
  const parts = [
    can('restart') && (
      <Button class="main" icon={icons.retry} disabled={off} onClick={() => act(props, 'restart')}>
        {t('restart')}
      </Button>
    ),
    card.state === 'running' && !can('restart') && insert && (
      <Button class="main" icon={card.call ? icons.compose : icons.chat} onClick={() => insert(`import workbench as wb\n\nm = ${card.code}\n${card.call || 'm.chat()'}`, !card.call)}>
        {t(card.call ? 'insertCode' : 'chat')}
      </Button>
    ),
    can('deploy') && (
      <Button class="main" icon={icons.rocket} disabled={off} onClick={() => act(props, 'deploy')}>
        {t(card.state === 'failed' || card.state === 'lost' ? 'deployAgain' : 'deploy')}
      </Button>
    ),
    can('stop') && (
      <Button icon={icons.stop} disabled={off} onClick={() => dispatch({ type: 'ask', on: true })}>
        {t('stop')}
      </Button>
    ),
    can('cancel') && (
      <Button disabled={off} onClick={() => act(props, 'cancel')}>
        {c('cancel')}
      </Button>
    )
  ].filter(Boolean);
  return parts.length ? <div class={`acts ${parts.length === 1 ? 'one' : ''}`}>{parts}</div> : null;
}

/** How it was asked for, where that is not what the model says of itself. */
function Details({ card: { details, meta } }: Inner): VNode | null {
  return (
    <Facts
      class="wb-s"
      items={[
        details.context > 0 && details.context !== meta?.context && t('context', { count: thousands(details.context) }),
        details.quantization,
        details.template && t('template', { name: details.template }),
        details.adapters > 0 && t('adapters', { count: format.integer(details.adapters) })
      ]}
    />
  );
}

function Fits({ card: { fit } }: Inner): VNode | null {
  if (!fit) return null;
  const sizes = t('fitsOf', { need: format.bytes(fit.need), free: format.bytes(fit.free) });
  return (
    <div class={`fit ${fit.fits ? 'ok' : 'warn'}`}>
      <Glyph icon={fit.fits ? icons.check : icons.warn} />
      <b>{[t(fit.fits ? 'fits' : 'fitsNot'), fit.device.startsWith('GPU') && fit.device].filter(Boolean).join(' ')}</b>
      <span>{sizes}</span>
      {!fit.fits && fit.fix && <code>{t('fitsWith', { argument: fit.fix })}</code>}
    </div>
  );
}

function Uses({ card }: Inner): VNode {
  return (
    <div class="uses">
      {!card.hosted && (
        <div class="use">
          <span class="lbl">{t('notebook')}</span>
          <code class="wb-cut">{card.code}</code>
          <Copy text={card.code} label={t('copyCode')} done={c('copied')} />
        </div>
      )}
      {card.endpoint && (
        <div class="use">
          <span class="lbl">{t('endpoint')}</span>
          <code class="wb-cut">{card.endpoint}</code>
          <span class="wb-s wb-2 o">{t('openai')}</span>
          <Copy text={card.endpoint} label={t('copyEndpoint')} done={c('copied')} />
        </div>
      )}
    </div>
  );
}

export function View(props: Props): VNode | null {
  const { state, dispatch, rpc } = props;
  const { card } = state;
  const now = useNow(card, state.seen);
  useEffect(() => {
    // The kernel looks only while somebody does.
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') rpc.call('awake').catch(() => undefined);
    }, 8000);
    return () => clearInterval(timer);
  }, []);
  if (!card) return null;
  const inner = { ...props, card };
  const problem = state.problem ?? (state.dismissed ? null : card.problem);
  const bad = card.state === 'failed' || card.state === 'lost';
  return (
    <section class="wb-card" aria-label={t('card', { name: card.name })}>
      <div class="mc">
        <div class="top">
          <span class="ico">
            <Glyph icon={card.hosted ? icons.link : icons.box} />
          </span>
          <div>
            <div class="wb-row">
              <span class="wb-title wb-cut">{card.name}</span>
              <StateChip tone={card.state === 'running' && card.reason ? 'warn' : TONES[card.state]}>{t(wordOf(card))}</StateChip>
            </div>
            <Facts items={facts(inner, now)} />
          </div>
          <Buttons {...inner} />
        </div>
        {problem && <ProblemNote problem={problem} dismiss={c('dismiss')} onDismiss={() => dispatch({ type: 'problem', problem: null })} />}
        {(card.state === 'preparing' || card.state === 'queued') && <Steps card={card} />}
        {bad && card.failure && (
          <>
            <Why cause={card.failure.cause} fix={card.failure.fix} words={{ cause: c('cause'), fix: c('fix') }} />
            {card.failure.log_tail && <Log text={card.failure.log_tail} label="log" height={200} follow />}
            {card.failure.log_tail && (
              <div class="wb-row">
                <Copy class="ghost quiet" text={card.failure.log_tail} label={c('copyLog')} done={c('copied')}>
                  {c('copyLog')}
                </Copy>
              </div>
            )}
          </>
        )}
        {card.reason && <p class="why">{card.reason}</p>}
        {!problem && !bad && <Fits {...inner} />}
        {card.state === 'running' && <Numbers card={card} />}
        {card.state === 'running' && <Details {...inner} />}
        {card.state === 'running' && <Uses {...inner} />}
        {state.asking && (
          <Confirm
            question={t('stopAsk', { name: card.name })}
            lost={t('stopLost')}
            yes={t('stop')}
            no={c('cancel')}
            onYes={() => act(props, 'stop')}
            onNo={() => dispatch({ type: 'ask', on: false })}
          />
        )}
      </div>
    </section>
  );
}
