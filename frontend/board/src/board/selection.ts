// The cards that are changed together. Pure.

export interface Selection {
  readonly ids: ReadonlySet<string>;
  /** The card that was selected last: a range begins there. */
  readonly anchor: string | null;
}

export const NOTHING: Selection = { ids: new Set(), anchor: null };

export function toggled({ ids }: Selection, id: string): Selection {
  const next = new Set(ids);
  if (!next.delete(id)) next.add(id);
  return { ids: next, anchor: next.has(id) ? id : null };
}

/** Adds the cards from the anchor to *id*, if both are in this column; else *id* alone. */
export function extended({ ids, anchor }: Selection, id: string, column: readonly string[]): Selection {
  const [from, to] = [column.indexOf(anchor ?? id), column.indexOf(id)];
  if (from < 0 || to < 0) return { ids: new Set(ids).add(id), anchor: id };
  const range = column.slice(Math.min(from, to), Math.max(from, to) + 1);
  return { ids: new Set([...ids, ...range]), anchor: anchor ?? id };
}

/** Without the cards that are not there any more. */
export function kept(selection: Selection, isThere: (id: string) => boolean): Selection {
  const ids = [...selection.ids].filter(isThere);
  return ids.length === selection.ids.size ? selection : { ids: new Set(ids), anchor: null };
}
