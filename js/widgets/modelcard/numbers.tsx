/** @jsx h */
/** The numbers of a model that answers: the engine's own where it tells them, else those of this notebook's answers. */
import { h } from 'preact';
import type { VNode } from 'preact';
import * as format from '../../common/format';
import { timeWords, translator } from '../../common/messages';
import { Spark } from '../../common/parts/spark';
import type { Card } from './state';
import { modelcard } from './words';

const t = translator(modelcard);
const times = timeWords();
const SPAN = 60; // values in five minutes
const WRITES = new Set(['llm', 'vlm']);
/** What one answer of a model that does not chat is called. */
const MADE: Readonly<Record<string, 'vectors' | 'rankings' | 'transcripts' | 'recordings' | 'pictures'>> = {
  embed: 'vectors',
  cross_modal_embed: 'vectors',
  rerank: 'rankings',
  stt: 'transcripts',
  tts: 'recordings',
  sd: 'pictures',
  image_editing: 'pictures'
};

/** One number with its line. */
export interface Tile {
  readonly title: string;
  readonly value: string;
  readonly unit: string;
  readonly values: readonly number[];
  /** Where the scale ends; at the largest value where it is not told. */
  readonly to?: number;
  /** Whether the whole width stands for five minutes. */
  readonly timed?: boolean;
}

/** What is shown of a card, most telling first. */
export function tiles(card: Card): readonly Tile[] {
  const { answers, load, memory } = card;
  const found: Tile[] = [];
  const writes = WRITES.has(card.type);
  const timed = true;
  if (load && writes && load.speed !== null) {
    const values = load.lines.speed ?? [];
    found.push({ title: t('speedAll'), value: format.integer(load.speed), unit: 'tok/s', values, to: Math.max(1, ...values), timed });
  }
  if (load && !writes && load.rate !== null) {
    const values = load.lines.rate ?? [];
    const unit = t('asked', { count: format.integer(load.requests ?? 0) });
    found.push({ title: t('requestRate'), value: format.fixed(load.rate, load.rate < 10 ? 1 : 0), unit, values, to: Math.max(0.2, ...values), timed });
  }
  if (load && load.running !== null) {
    const values = load.lines.running ?? [];
    const unit = load.waiting ? t('waiting', { count: format.integer(load.waiting) }) : '';
    found.push({ title: t('requests'), value: format.integer(load.running), unit, values, to: Math.max(1, ...values), timed });
  } else if (load && load.requests !== null) {
    found.push({ title: t('requestsAll'), value: format.integer(load.requests), unit: '', values: load.lines.rate ?? [], timed });
  }
  if (load && writes && load.cache !== null) {
    found.push({ title: t('cache'), value: format.percent(load.cache), unit: '', values: load.lines.cache ?? [], to: 1, timed });
  }
  if (writes && answers.first_token !== null) {
    const [value, unit] = format.duration(answers.first_token, times).split(' ');
    found.push({ title: t('firstToken'), value: value ?? '', unit: unit ?? '', values: answers.first_tokens });
  }
  if (writes && !load && answers.speed !== null) found.push({ title: t('speed'), value: format.integer(answers.speed), unit: 'tok/s', values: answers.speeds });
  if ((!load || !writes) && answers.count + answers.failed > 0) {
    const unit = answers.failed ? t('failedCount', { count: format.integer(answers.failed) }) : '';
    found.push({ title: t(MADE[card.type] ?? 'answers'), value: format.integer(answers.count), unit, values: [] });
  }
  const last = memory[memory.length - 1];
  if (last !== undefined) found.push({ title: t('memory'), ...format.size(last), values: memory, to: Math.max(...memory) * 1.25 });
  return found;
}

export function Numbers({ card }: { card: Card }): VNode | null {
  const shown = tiles(card);
  if (!shown.length) return null;
  return (
    <div class={`nums ${shown.length > 2 ? 'many' : ''} ${shown.length % 2 ? 'odd' : ''}`} style={{ '--n': shown.length }}>
      {shown.map(tile => (
        <div key={tile.title}>
          <h3 class="wb-cut" title={tile.title}>
            {tile.title}
          </h3>
          <b>
            {tile.value} <small>{tile.unit}</small>
          </b>
          <Spark
            values={Float64Array.from(tile.values)}
            height={24}
            from={0}
            fill
            {...(tile.to ? { to: tile.to } : {})}
            {...(tile.timed ? { span: SPAN } : {})}
          />
        </div>
      ))}
    </div>
  );
}
