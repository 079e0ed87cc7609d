/**
 * Which pages of a long table are there, and which must be fetched for what is in sight.
 * Rows are fetched by the caller; an answer for another query than the current one is dropped. A page that could not be
 * fetched counts as asked for, so that nobody asks in a circle; another query or news of other rows asks again.
 */

export interface Pages<Row> {
  readonly query: string;
  readonly total: number;
  readonly size: number;
  readonly rows: ReadonlyMap<number, readonly Row[]>;
  readonly wanted: ReadonlySet<number>;
  /** Pages that are shown but must be fetched again. */
  readonly old: ReadonlySet<number>;
}

const KEPT = 24; // pages held at once

export function noPages<Row>(size = 50): Pages<Row> {
  return { query: '', total: 0, size, rows: new Map(), wanted: new Set(), old: new Set() };
}

/** Another filter, order or search: everything is fetched again; the old total stays until the new one is known. */
export function withQuery<Row>(pages: Pages<Row>, query: string): Pages<Row> {
  return query === pages.query ? pages : { ...pages, query, rows: new Map(), wanted: new Set(), old: new Set() };
}

/** The pages to ask for so that rows `first` to `last` (not included) can be shown, marked as asked for. */
export function want<Row>(pages: Pages<Row>, first: number, last: number): { readonly pages: Pages<Row>; readonly ask: readonly number[] } {
  const from = Math.max(0, Math.floor(first / pages.size));
  const to = Math.max(from + 1, Math.ceil(last / pages.size));
  const ask: number[] = [];
  for (let page = from; page < to; page++) if ((!pages.rows.has(page) || pages.old.has(page)) && !pages.wanted.has(page)) ask.push(page);
  return ask.length ? { pages: { ...pages, wanted: new Set([...pages.wanted, ...ask]) }, ask } : { pages, ask };
}

export function arrived<Row>(pages: Pages<Row>, query: string, page: number, rows: readonly Row[], total: number): Pages<Row> {
  if (query !== pages.query) return pages;
  const kept = new Map(pages.rows);
  kept.delete(page);
  kept.set(page, rows);
  while (kept.size > KEPT) kept.delete(kept.keys().next().value as number);
  const wanted = new Set(pages.wanted);
  wanted.delete(page);
  const old = new Set(pages.old);
  old.delete(page);
  return { ...pages, rows: kept, wanted, old, total };
}

/** The rows have changed in the kernel: what is shown stays until it is fetched again. */
export function stale<Row>(pages: Pages<Row>): Pages<Row> {
  return { ...pages, old: new Set(pages.rows.keys()), wanted: new Set() };
}

export function rowAt<Row>(pages: Pages<Row>, index: number): Row | undefined {
  return pages.rows.get(Math.floor(index / pages.size))?.[index % pages.size];
}
