/** What the parts of the card share: their words, and how they ask the kernel. */
import { common, timeWords, translator } from '../../common/messages';
import { problemOf } from '../../common/rpc';
import type { ViewProps } from '../../common/widget';
import type { Action_, JobView, MonitorAction, MonitorState } from './state';
import { monitor } from './words';

export const t = translator(monitor);
export const c = translator(common);
export const times = timeWords();
export type Props = ViewProps<MonitorState, MonitorAction>;
export type Inner = Props & { job: JobView };

export function act({ dispatch, rpc }: Props, action: Action_): void {
  dispatch({ type: 'busy', action });
  rpc.call(action).then(
    () => dispatch({ type: 'done', problem: null }),
    (error: unknown) => dispatch({ type: 'done', problem: problemOf(error) })
  );
}
