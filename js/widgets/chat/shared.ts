/** What the parts of the chat share: their words, and how they ask the kernel. */
import { common, timeWords, translator } from '../../common/messages';
import { problemOf } from '../../common/rpc';
import type { ViewProps } from '../../common/widget';
import type { ChatAction, ChatState } from './state';
import { chat } from './words';

export const t = translator(chat);
export const c = translator(common);
export const times = timeWords();
export type Props = ViewProps<ChatState, ChatAction>;
export const MARKS = 'ABCDEFGH';

export function call({ rpc, dispatch }: Props, method: string, params: Record<string, unknown> = {}): Promise<boolean> {
  return rpc.call(method, params).then(
    () => true,
    (error: unknown) => {
      dispatch({ type: 'problem', problem: problemOf(error) });
      return false;
    }
  );
}
