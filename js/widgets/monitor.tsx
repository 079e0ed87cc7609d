/** The fine-tuning monitor; its Python half is workbench/widgets/monitor.py. */
import { widget } from '../common/widget';
import charts from '../common/css/charts.css';
import controls from '../common/css/controls.css';
import slider from '../common/css/slider.css';
import css from './monitor/monitor.css';
import { initial, reduce } from './monitor/state';
import type { MonitorAction, MonitorState, Update } from './monitor/state';
import { View } from './monitor/view';

const have = (state: MonitorState): Record<string, unknown> => ({ have: state.data.count, log_end: state.logEnd, gen: state.generation });
const now = (): number => performance.now() / 1000;

export default widget<MonitorState, MonitorAction>({
  name: 'monitor',
  css: charts + controls + slider + css,
  initial: (snapshot, history) => initial(snapshot, history, now()),
  reduce,
  receive: (message, buffers) => ({ type: 'update', update: message, values: buffers[0] ?? null, at: now() }),
  have,
  effects: (state, rpc, dispatch) => {
    if (!state.gap) return;
    dispatch({ type: 'asked' });
    rpc
      .call<Update>('hello', have(state))
      .then(({ result, buffers }) => dispatch({ type: 'update', update: result, values: buffers[0] ?? null, at: now() }))
      .catch(() => undefined);
  },
  View
});
