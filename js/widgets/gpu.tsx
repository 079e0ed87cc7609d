/** The machine; its Python half is workbench/widgets/gpu.py. */
import charts from '../common/css/charts.css';
import { widget } from '../common/widget';
import css from './gpu/gpu.css';
import { EMPTY, reduce } from './gpu/state';
import type { GpuAction, GpuState, Update } from './gpu/state';
import { View } from './gpu/view';

const news = (update: Update): GpuAction => ({ type: 'update', update });

export default widget<GpuState, GpuAction>({
  name: 'gpu',
  css: charts + css,
  initial: snapshot => reduce(EMPTY, news(snapshot)),
  reduce,
  receive: message => news(message),
  View
});
