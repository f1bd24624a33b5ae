// What was typed into a form of texts and not saved, merged with what the server has by now. Pure.
import { mergeChanges } from "@taskriver/client/changes";

export interface Edit<Fields> {
  /** The values that the writer saw when they began to change them. */
  readonly base: Fields;
  readonly mine: Fields;
  /** Whether it was read from the storage, and not changed since. */
  readonly restored?: boolean;
}

export interface Merge<Fields> {
  /** What the form shows. */
  readonly merged: Fields;
  /** What has to be sent. */
  readonly changes: Partial<Fields>;
  /** What both sides changed, differently. */
  readonly conflicts: readonly (keyof Fields)[];
}

export function mergeEdit<Fields extends object>(edit: Edit<Fields> | undefined, theirs: Fields): Merge<Fields> {
  return edit ? mergeChanges(edit.base, edit.mine, theirs) : { merged: theirs, changes: {}, conflicts: [] };
}

/** The edit after the input of one field got another value. */
export function typed<Fields extends object>(
  edit: Edit<Fields> | undefined, name: keyof Fields, value: Fields[keyof Fields], theirs: Fields,
): Edit<Fields> {
  const { base, mine } = edit ?? { base: theirs, mine: theirs };
  const isTouched = base[name] !== mine[name];
  return { base: isTouched ? base : { ...base, [name]: theirs[name] }, mine: { ...mine, [name]: value } };
}

/** The writer has seen their value of a field, and decides for the one or the other. */
export function decided<Fields extends object>(
  { base, mine }: Edit<Fields>, name: keyof Fields, theirs: Fields, choice: "MINE" | "THEIRS",
): Edit<Fields> {
  const value = { [name]: theirs[name] };
  return { base: { ...base, ...value }, mine: choice === "MINE" ? mine : { ...mine, ...value } };
}

/** After *sent* was saved: what was typed since it was sent is left. Undefined: nothing. */
export function settled<Fields extends object>(edit: Edit<Fields>, sent: Partial<Fields>): Edit<Fields> | undefined {
  const left = { ...edit, base: { ...edit.base, ...sent } };
  const names = Object.keys(edit.mine) as (keyof Fields)[];
  return names.every((name) => left.base[name] === left.mine[name]) ? undefined : left;
}
