/**
 * Puts a cell into the notebook that the user works in. Uses only what every notebook panel has (a shared model of cells and
 * an active index), not JupyterLab's notebook package.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { Widget } from '@lumino/widgets';

interface SharedNotebook {
  insertCell(index: number, cell: { cell_type: 'code'; source: string; metadata: object }): unknown;
}
interface SharedCell {
  getSource(): string;
  setSource(source: string): void;
}
interface NotebookPanel extends Widget {
  readonly content: Widget & {
    activeCellIndex: number;
    mode: 'command' | 'edit';
    readonly activeCell: { readonly model: { readonly type: string; readonly sharedModel: SharedCell } } | null;
    readonly model: { readonly sharedModel: SharedNotebook } | null;
  };
}

/**
 * Inserts `source` below the active cell (or into it when it is empty), makes it the active cell, and runs it when `run`.
 * Opens a new notebook where there is none. Returns the notebook's title.
 */
export async function insertCode(app: JupyterFrontEnd, source: string, run = false): Promise<string> {
  const panel = current(app) ?? (await create(app));
  const { content } = panel;
  const active = content.activeCell;
  if (active?.model.type === 'code' && active.model.sharedModel.getSource().trim() === '') {
    active.model.sharedModel.setSource(source);
  } else {
    const index = content.activeCellIndex + 1;
    content.model?.sharedModel.insertCell(index, { cell_type: 'code', source, metadata: {} });
    content.activeCellIndex = index;
  }
  app.shell.activateById(panel.id);
  content.mode = 'command';
  if (run) await app.commands.execute('notebook:run-cell');
  return panel.title.label;
}

function current(app: JupyterFrontEnd): NotebookPanel | null {
  if (isNotebook(app.shell.currentWidget)) return app.shell.currentWidget;
  for (const widget of app.shell.widgets('main')) {
    if (isNotebook(widget) && widget.isVisible) return widget;
  }
  for (const widget of app.shell.widgets('main')) {
    if (isNotebook(widget)) return widget;
  }
  return null;
}

async function create(app: JupyterFrontEnd): Promise<NotebookPanel> {
  const { specs } = app.serviceManager.kernelspecs;
  const panel: unknown = await app.commands.execute('notebook:create-new', { kernelName: specs?.default ?? 'python3' });
  if (!isNotebook(panel)) throw new Error('JupyterLab did not open a notebook.');
  const { context } = panel as unknown as { context: { ready: Promise<void> } };
  await context.ready;
  return panel;
}

function isNotebook(widget: unknown): widget is NotebookPanel {
  const content = (widget as Partial<NotebookPanel> | null)?.content as Partial<NotebookPanel['content']> | undefined;
  return typeof content?.activeCellIndex === 'number' && content.model?.sharedModel.insertCell !== undefined;
}
