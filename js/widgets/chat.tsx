/** The chat; its Python half is workbench/widgets/chat.py. */
import { widget } from '../common/widget';
import slider from '../common/css/slider.css';
import css from './chat/chat.css';
import { EMPTY, reduce } from './chat/state';
import type { ChatAction, ChatState, Update } from './chat/state';
import { View } from './chat/view';

const whole = (update: Update): ChatAction => ({ type: 'update', update, whole: true });

export default widget<ChatState, ChatAction>({
  name: 'chat',
  css: slider + css,
  initial: snapshot => reduce(EMPTY, whole(snapshot)),
  reduce,
  receive: message => (message['kind'] === 'update' ? { type: 'update', update: message, whole: false } : whole(message)),
  effects: (state, rpc, dispatch) => {
    if (!state.gap) return;
    dispatch({ type: 'asked' });
    rpc
      .call<Update>('hello')
      .then(({ result }) => dispatch(whole(result)))
      .catch(() => undefined);
  },
  View
});
