/** @jsx h */
/** @jsxFrag Fragment */
/** What is behind the tabs: configuration, data, log. */
import { Fragment, h } from 'preact';
import type { VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import * as format from '../../common/format';
import { Log } from '../../common/parts/log';
import { Facts } from '../../common/parts/state';
import { problemOf } from '../../common/rpc';
import { t } from './shared';
import type { Inner } from './shared';
import { Chart, Tiles } from './plot';
import type { JobView, Preview } from './state';

function Config({ job }: { job: JobView }): VNode {
  return (
    <>
      <dl class="kv">
        {job.config.map(row => (
          <div key={row.name}>
            <dt>{row.name}</dt>
            <dd>{row.set ? <em>{row.value}</em> : row.value}</dd>
          </div>
        ))}
      </dl>
      <p class={`wb-xs wb-2 ${job.config.some(row => row.set) ? 'dotted' : ''}`} style={{ marginTop: 8 }}>
        {job.config.some(row => row.set) ? t('configSet', { backend: job.backend }) : t('configNone')}
      </p>
    </>
  );
}

function DataRows({ rpc, dispatch, state, job }: Inner): VNode {
  const { preview } = state;
  useEffect(() => {
    if (preview) return;
    rpc.call<Preview>('preview').then(
      ({ result }) => dispatch({ type: 'preview', preview: result }),
      (error: unknown) => dispatch({ type: 'done', problem: problemOf(error) })
    );
  }, []);
  const { data } = job;
  return (
    <>
      <Facts
        items={
          data
            ? [data.name, t('trainRows', { rows: format.integer(data.rows) }), data.eval_rows > 0 && t('evalRows', { rows: format.integer(data.eval_rows) })]
            : []
        }
      />
      {preview && !preview.rows.length && <p class="wb-s wb-2">{t('dataNone')}</p>}
      {preview && preview.rows.length > 0 && (
        <table class="dtab" style={{ marginTop: 12 }}>
          <thead>
            <tr>
              <th>{t('dataRow')}</th>
              <th>{t('dataPrompt')}</th>
              <th>{t('dataAnswer')}</th>
            </tr>
          </thead>
          <tbody>
            {preview.rows.map(row => (
              <tr key={row.row}>
                <td>{format.integer(row.row)}</td>
                <td>{row.prompt}</td>
                <td>{row.answer}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

export function Panel(props: Inner): VNode | null {
  const { state, job } = props;
  switch (state.tab) {
    case 'loss':
      return (
        <>
          <Chart {...props} />
          <Tiles state={state} job={job} />
        </>
      );
    case 'config':
      return <Config job={job} />;
    case 'log':
      return state.log ? <Log text={state.log} follow={state.follow} label={t('log')} height={260} /> : <p class="wb-s wb-2">{t('logNone')}</p>;
    case 'data':
      return <DataRows {...props} />;
    case null:
      return null;
  }
}
