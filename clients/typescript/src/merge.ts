export interface Merged<T> {
  /** What to show: *mine* where it was changed, *theirs* elsewhere. */
  readonly merged: T;
  /** What to send: the fields of *mine* that were changed, and that *theirs* does not have already. */
  readonly changes: Partial<T>;
  /** Fields that both sides have changed, differently. Only about these the user must decide. */
  readonly conflicts: readonly (keyof T)[];
}

/**
 * Merges an edit with the object as it is now, field by field.
 * @param base the object when the edit began
 * @param mine the edited object
 * @param theirs the object as it is now
 */
export function mergeChanges<T extends object>(base: T, mine: T, theirs: T, isEqual: (a: unknown, b: unknown) => boolean = Object.is): Merged<T> {
  const names = Object.keys(mine) as (keyof T)[];
  const changed = names.filter((name) => !isEqual(base[name], mine[name]));
  const pending = changed.filter((name) => !isEqual(mine[name], theirs[name]));
  const changes = Object.fromEntries(pending.map((name) => [name, mine[name]])) as Partial<T>;
  return {
    merged: { ...theirs, ...changes },
    changes,
    conflicts: pending.filter((name) => !isEqual(base[name], theirs[name])),
  };
}
