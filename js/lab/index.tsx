/** The JupyterLab plugin: the sidebar, its command, and the log panels that it opens. */
import { ILayoutRestorer } from '@jupyterlab/application';
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget, ReactWidget } from '@jupyterlab/apputils';
import type { Message } from '@lumino/messaging';
import * as React from 'react';
import { INSERT } from '../common/insert';
import type { InsertDetail } from '../common/insert';
import { Api } from './api';
import { Feed } from './feed';
import { workbenchIcon } from './icons';
import { LogPanel } from './log';
import { insertCode } from './notebook';
import { Panel } from './panel';
import { showStaticForms } from './saved';
import type { Job } from './types';
import { say } from './words';

const OPEN = 'workbench:open';

class Sidebar extends ReactWidget {
  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly api: Api,
    private readonly feed: Feed
  ) {
    super();
    this.id = 'jupyter-llm-workbench';
    this.addClass('wb-sidebar');
    this.title.icon = workbenchIcon;
    this.title.caption = say('workbench');
  }

  protected render(): React.ReactElement {
    return <Panel app={this.app} api={this.api} feed={this.feed} openLog={this.openLog} />;
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.feed.start();
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.feed.stop();
  }

  private readonly openLog = (job: Job): void => {
    const { shell } = this.app;
    const id = `workbench-log-${job.id}-tab`;
    for (const widget of shell.widgets('main')) {
      if (widget.id === id) {
        shell.activateById(id);
        return;
      }
    }
    const content = new LogPanel(job, this.api, this.feed);
    const tab = new MainAreaWidget({ content });
    tab.id = id;
    shell.add(tab, 'main');
    shell.activateById(id);
  };
}

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-llm-workbench:sidebar',
  description: 'Jobs, deployments, models and the machine, in the sidebar.',
  autoStart: true,
  optional: [ILayoutRestorer, ICommandPalette],
  activate: (app: JupyterFrontEnd, restorer: ILayoutRestorer | null, palette: ICommandPalette | null) => {
    const api = new Api(app.serviceManager.serverSettings);
    const sidebar = new Sidebar(app, api, new Feed(api, app.serviceManager.events));
    app.shell.add(sidebar, 'left', { rank: 600 });
    restorer?.add(sidebar, sidebar.id);
    app.commands.addCommand(OPEN, {
      label: say('open'),
      icon: workbenchIcon,
      execute: () => app.shell.activateById(sidebar.id),
      describedBy: { args: { type: 'object', properties: {} } }
    });
    palette?.addItem({ command: OPEN, category: say('workbench') });
    showStaticForms(app);
    // Widgets cannot reach the notebook around them; they ask for cells with this event, where the mark says that somebody listens.
    document.body.dataset['wbInsert'] = '';
    document.addEventListener(INSERT, event => {
      const { code, run } = (event as CustomEvent<InsertDetail>).detail;
      void insertCode(app, code, run);
    });
  }
};

export default plugin;
