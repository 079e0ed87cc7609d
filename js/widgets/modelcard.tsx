/** The model card; its Python half is workbench/widgets/modelcard.py. */
import charts from '../common/css/charts.css';
import { widget } from '../common/widget';
import css from './modelcard/modelcard.css';
import { EMPTY, reduce } from './modelcard/state';
import type { Card, CardAction, CardState } from './modelcard/state';
import { View } from './modelcard/view';

const cardOf = (message: Record<string, unknown>): CardAction => ({ type: 'card', card: message['card'] as Card, at: performance.now() / 1000 });

export default widget<CardState, CardAction>({
  name: 'modelcard',
  css: charts + css,
  initial: snapshot => (snapshot['card'] ? reduce(EMPTY, cardOf(snapshot)) : EMPTY),
  reduce,
  receive: cardOf,
  View
});
