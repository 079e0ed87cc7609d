/** What the parts of the table share: their words and types. */
import * as format from '../../common/format';
import { common, timeWords, translator } from '../../common/messages';
import type { ViewProps } from '../../common/widget';
import type { Head, TableAction, TableState } from './state';
import { evaltable } from './words';

export const t = translator(evaltable);
export const c = translator(common);
export const times = timeWords();
export type Props = ViewProps<TableState, TableAction>;
export type Inner = Props & { head: Head };

export const errorWords = (count: number): string => (count === 1 ? t('errorOne') : t('errorCount', { count: format.integer(count) }));
