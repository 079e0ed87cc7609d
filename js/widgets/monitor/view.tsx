/** @jsx h */
/** The monitor's card, put together from its parts. */
import { h } from 'preact';
import type { VNode } from 'preact';
import { Switch, Tabs } from '../../common/parts/choices';
import { Confirm } from '../../common/parts/confirm';
import { Copy } from '../../common/parts/copy';
import type { TabItem } from '../../common/parts/choices';
import { act, c, t } from './shared';
import type { Props } from './shared';
import { Head } from './head';
import { Panel } from './panels';
import { Chart, Tiles } from './plot';
import { Progress, Stats } from './progress';
import { ended } from './state';
import type { Tab } from './state';
import { Failed, Notices } from './trouble';

export function View(props: Props): VNode | null {
  const { state, dispatch } = props;
  const { job, data } = state;
  if (!job) return null;
  const over = ended(job.state);
  const training = job.kind !== 'deploy';
  const points = data.train.y.length + data.eval.y.length > 0;
  const tabs: TabItem<Tab>[] = [];
  if (over && training && points) tabs.push({ id: 'loss', title: t('loss') });
  if (job.config.length) tabs.push({ id: 'config', title: t('config') });
  tabs.push({ id: 'log', title: t('log') });
  if (job.data) tabs.push({ id: 'data', title: t('data') });
  const chosen = tabs.some(tab => tab.id === state.tab) ? state.tab : null;
  const panel = `wb-${job.id}-panel`;
  return (
    <section class="wb-card" aria-label={t('card', { name: job.name })}>
      <Head {...props} job={job} />
      {!over && <Stats state={state} job={job} />}
      {!over && <Progress state={state} job={job} />}
      {!over && training && points && <Chart {...props} />}
      {!over && training && !points && (
        <div class="none-yet">
          <span>{t('waitFirst')}</span>
        </div>
      )}
      {!over && training && <Tiles state={state} job={job} />}
      {job.endpoint && !over && (
        <div class="use">
          <span>{t('endpoint')}</span>
          <code class="wb-cut">{job.endpoint}</code>
          <Copy text={job.endpoint} label={t('copyPath')} done={c('copied')} />
        </div>
      )}
      <Failed {...props} job={job} />
      {state.asking && (
        <Confirm
          question={t('stopNowAsk', { name: job.name })}
          lost={t('stopNowLost')}
          yes={t('stopNow')}
          no={c('cancel')}
          onYes={() => act(props, 'cancel')}
          onNo={() => dispatch({ type: 'ask', on: false })}
        />
      )}
      <Notices {...props} job={job} />
      <Tabs items={tabs} chosen={chosen} panel={panel} onChoose={tab => dispatch({ type: 'tab', tab })}>
        {chosen === 'log' && (
          <label class="wb-push wb-row wb-s wb-2">
            {t('follow')} <Switch on={state.follow} label={t('followLog')} onChange={on => dispatch({ type: 'follow', on })} />
          </label>
        )}
        {chosen === 'config' && (
          <span class="wb-push wb-row">
            <Copy text={job.config.map(row => `${row.name}: ${row.value}`).join('\n')} label={t('copyConfig')} done={c('copied')} />
          </span>
        )}
      </Tabs>
      <div class={`body ${chosen === 'loss' ? 'chart' : ''}`} role="tabpanel" id={panel}>
        {chosen && <Panel {...props} job={job} />}
      </div>
    </section>
  );
}
