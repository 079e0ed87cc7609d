/** @jsx h */
/** A model by its name and state. */
import { h } from 'preact';
import type { ComponentChildren, VNode } from 'preact';
import { engineName } from '../../common/engines';
import * as format from '../../common/format';
import { t } from './shared';
import type { ModelView } from './state';

function dot(model: ModelView): string {
  if (model.state === 'running') return 'ok';
  if (model.state === 'starting' || model.state === 'preparing' || model.state === 'queued') return 'run';
  return model.state === 'failed' || model.state === 'lost' ? 'err' : 'idle';
}

export const Name = ({ model }: { model: ModelView }): VNode => (
  <span class="name">
    <i class={`wb-dot ${dot(model)}`} title={model.state} />
    <span class="wb-cut">{model.name}</span>
  </span>
);

export function modelFacts(model: ModelView): ComponentChildren[] {
  return [
    model.state === 'starting' ? t('starting') : engineName(model.engine),
    model.context !== null && model.used > 0 && t('context', { used: format.integer(model.used), context: format.integer(model.context) })
  ];
}
