/**
 * Words in the browser's language, and those that all widgets say, English and Chinese. `{name}` is filled in. A widget's
 * own words are its `words.ts`.
 */
import type { TimeWords } from './format';

export type Words = Readonly<Record<string, string>>;
export interface Catalogue<W extends Words> {
  readonly en: W;
  readonly zh: Readonly<Record<keyof W, string>>;
}
export type Translate<W extends Words> = (key: keyof W, values?: Readonly<Record<string, string | number>>) => string;

export const chinese = (): boolean => typeof navigator !== 'undefined' && navigator.language.toLowerCase().startsWith('zh');

/** The words in the browser's language. */
export function translator<W extends Words>(catalogue: Catalogue<W>): Translate<W> {
  const words: Readonly<Record<keyof W, string>> = chinese() ? catalogue.zh : catalogue.en;
  return (key, values) => words[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values?.[name] ?? whole));
}

export function timeWords(): TimeWords {
  return chinese() ? { ms: '毫秒', s: '秒', min: '分', h: '小时', d: '天' } : { ms: 'ms', s: 's', min: 'min', h: 'h', d: 'd' };
}

export const common = {
  en: {
    about: 'about {time}',
    cancel: 'Cancel',
    cause: 'Cause',
    copied: 'Copied',
    copyLog: 'Copy log',
    dismiss: 'Dismiss',
    fix: 'Fix',
    more: 'More actions',
    noAnswer: 'The kernel did not answer.',
    noAnswerCause: 'It is busy, was restarted, or is gone. Run the cell again when it is idle.',
    stop: 'Stop'
  },
  zh: {
    about: '约 {time}',
    cancel: '取消',
    cause: '原因',
    copied: '已复制',
    copyLog: '复制日志',
    dismiss: '不再提示',
    fix: '解决',
    more: '更多操作',
    noAnswer: '内核没有回应。',
    noAnswerCause: '内核正忙、已重启或已退出。等它空闲后重新运行该单元格。',
    stop: '停止'
  }
} as const satisfies Catalogue<Words>;
