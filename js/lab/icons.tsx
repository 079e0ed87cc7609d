/** The sidebar's icons: 16 px lines in the text's colour, and the tab's own. */
import { LabIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

const PATHS = {
  add: 'M8 3.5v9M3.5 8h9',
  chat: 'M3 4a1 1 0 0 1 1-1h8a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1H7l-3 2.5V11a1 1 0 0 1-1-1z',
  chev: 'm4.5 6.2 3.5 3.6 3.5-3.6',
  code: 'm6 5-3 3 3 3m4-6 3 3-3 3',
  link: 'M7 9a2.5 2.5 0 0 0 3.6.1l1.9-1.9a2.5 2.5 0 0 0-3.6-3.6l-1 1M9 7a2.5 2.5 0 0 0-3.6-.1L3.5 8.8a2.5 2.5 0 0 0 3.6 3.6l1-1',
  log: 'M3.5 4.5h9M3.5 8h9M3.5 11.5h5.5',
  play: 'M5.5 4v8l6.5-4z',
  retry: 'M12.8 6.5A5 5 0 1 0 13 8.8M13 3v3.5H9.5',
  search: 'M11 7a4 4 0 1 1-8 0 4 4 0 0 1 8 0m-1 3 3.2 3.2',
  stop: 'M5.5 4.5h5a1 1 0 0 1 1 1v5a1 1 0 0 1-1 1h-5a1 1 0 0 1-1-1v-5a1 1 0 0 1 1-1',
  x: 'm4.5 4.5 7 7m0-7-7 7'
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }): React.ReactElement {
  return (
    <svg className="wb-i" viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

export const workbenchIcon = new LabIcon({
  name: 'jupyter-llm-workbench:workbench',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 16 16"><path class="jp-icon3" fill="#616161" d="M2 2.5h1.3v10.2H14V14H2zM5 11V7.5h1.8V11zm3.4 0V5h1.8v6zm3.4 0V3h1.8v8z"/></svg>'
});
