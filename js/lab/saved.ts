/**
 * A saved notebook that is opened again: its widgets' kernel has gone, and ipywidgets says "model not found" where a widget stood.
 * Outputs that carry a static form beside the widget show that instead. Knows no widget; whatever is saved with both gains by it.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';

const WIDGET = 'application/vnd.jupyter.widget-view+json';
const STATIC = 'text/html';

interface MimeModel {
  readonly data: Readonly<Record<string, unknown>>;
}

interface Renderer {
  readonly node: HTMLElement;
  renderModel(model: MimeModel): Promise<void>;
}

interface RenderMime {
  createRenderer(mimeType: string): Renderer;
}

interface NotebookPanel {
  readonly content: { readonly rendermime: RenderMime };
}

/** Whether nothing but a message stands where the widget should be. */
const bare = (node: HTMLElement): boolean => node.childElementCount === 0 && !!node.textContent;

function withStaticForm(rendermime: RenderMime): void {
  const create = rendermime.createRenderer.bind(rendermime);
  rendermime.createRenderer = mimeType => {
    const renderer = create(mimeType);
    if (mimeType !== WIDGET) return renderer;
    const render = renderer.renderModel.bind(renderer);
    renderer.renderModel = async model => {
      await render(model);
      if (!bare(renderer.node) || typeof model.data[STATIC] !== 'string') return;
      const still = create(STATIC);
      await still.renderModel(model);
      renderer.node.replaceChildren(still.node);
    };
    return renderer;
  };
}

/** Watch every notebook that is opened; its outputs are drawn after this. */
export function showStaticForms(app: JupyterFrontEnd): void {
  app.docRegistry.addWidgetExtension('Notebook', {
    createNew: panel => {
      withStaticForm((panel as unknown as NotebookPanel).content.rendermime);
    }
  });
}
