/**
 * New cells. A widget cannot reach the notebook around it; the workbench's extension of JupyterLab can, marks the page
 * with `data-wb-insert` on `body` and listens for this event. Without the extension there is no button for it.
 */

export const INSERT = 'workbench:insert-cell';

export interface InsertDetail {
  readonly code: string;
  /** Whether the cell is run as well. */
  readonly run: boolean;
}

/** Puts code into a new cell below the active one; null where nobody would do it. */
export function inserter(): ((code: string, run?: boolean) => void) | null {
  if (document.body.dataset['wbInsert'] === undefined) return null;
  return (code, run = false) => document.dispatchEvent(new CustomEvent<InsertDetail>(INSERT, { detail: { code, run } }));
}
