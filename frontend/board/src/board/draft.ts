// Unsaved text of a form, merged with what the server has by now: three ways, field by field. Pure.
import { BLANK, FIELDS, isSame, withField, type FieldName, type Fields } from "./fields";
import type { Task } from "./fold";

export interface Draft {
  /** The values that the writer saw when they began to change them. */
  readonly base: Fields;
  readonly mine: Fields;
  /** Of a new task only. */
  readonly assignee?: Task["assignee"];
  /** Whether it was read from the storage, and not changed since. */
  readonly restored?: boolean;
}

export const NEW_DRAFT: Draft = { base: BLANK, mine: BLANK };

/** The draft after an input that showed *shown* got the value that *typed* has. */
export function edited(draft: Draft | undefined, name: FieldName, typed: Fields, shown: Fields): Draft {
  const { base, mine, assignee = null } = draft ?? { base: shown, mine: shown };
  const isTouched = base[name] !== mine[name];
  return { base: isTouched ? base : withField(base, name, shown), mine: withField(mine, name, typed), assignee };
}

/** What the form shows: the writer's values where they changed something, the server's elsewhere. */
export function merged(draft: Draft | undefined, theirs: Fields): Fields {
  if (!draft) return theirs;
  return touched(draft).reduce((fields, name) => withField(fields, name, draft.mine), theirs);
}

/** Fields that both sides changed, differently: the writer has to choose. */
export function conflicts(draft: Draft | undefined, theirs: Fields): readonly FieldName[] {
  if (!draft) return [];
  return touched(draft).filter((name) => !isSame(name, draft.base, theirs) && !isSame(name, draft.mine, theirs));
}

/** What has to be sent: only what the writer changed, and the server does not have yet. */
export function changes(draft: Draft, theirs: Fields): Partial<Fields> {
  const names = touched(draft).filter((name) => !isSame(name, draft.mine, theirs));
  return Object.fromEntries(names.map((name) => [name, draft.mine[name]]));
}

export function isUnsaved(draft: Draft | undefined, theirs: Fields): boolean {
  return !!draft && (!!draft.assignee || Object.keys(changes(draft, theirs)).length > 0);
}

/** The writer has seen their value of a field, and decides for the one or the other. */
export function decided(draft: Draft, name: FieldName, theirs: Fields, choice: "MINE" | "THEIRS"): Draft {
  const { mine } = draft;
  return {
    ...draft, base: withField(draft.base, name, theirs), mine: choice === "MINE" ? mine : withField(mine, name, theirs),
  };
}

/** After *sent* was saved: what was typed since it was sent is left. */
export function settled(draft: Draft, sent: Partial<Fields>): Draft {
  return { ...draft, base: { ...draft.base, ...sent } };
}

/** Whether nothing is left that the writer changed. */
export function isEmpty(draft: Draft): boolean {
  return touched(draft).length === 0 && !draft.assignee;
}

/** To the letter: a space at the end is typed before the word behind it. */
function touched({ base, mine }: Draft): readonly FieldName[] {
  return FIELDS.filter((name) => base[name] !== mine[name]);
}
