// Saving an edit: only the changed fields, merged with what others saved in the meantime.
import { mergeEdit, type Edit } from "./edit";
import { wrong, type Problem } from "../../../common/problem";
import { problemOf } from "./errors";
import type { Refusal } from "./submitter";

/** How often a change is merged and sent again if another user changes the same at the same time. */
const ATTEMPTS = 4;
const UNDECIDED = "Choose a value for each field that another user changed, too. Then save again.";
const BUSY = "Others keep changing this. Try again in a moment.";

export interface Saving<Fields> {
  readonly names: readonly (keyof Fields & string)[];
  /** What is typed by now; undefined: nothing. */
  edit(): Edit<Fields> | undefined;
  /** What the server has, as far as known; null: it is gone. */
  theirs(): { readonly fields: Fields; readonly version: number } | null;
  /** What to say if it is gone. */
  readonly gone: string;
  send(changes: Partial<Fields>, expectedVersion: number): Promise<Refusal | null>;
  /** Reads what the server has. Throws `RequestError`. */
  read(): Promise<void>;
  /** *sent* is saved, or the server had it already. */
  settle(sent: Partial<Fields>): void;
}

/** Answers what is wrong, or null. */
export async function save<Fields extends object>(saving: Saving<Fields>): Promise<Problem | null> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const edit = saving.edit(), theirs = saving.theirs();
    if (!theirs) return wrong(saving.gone);
    if (!edit) return null;
    const { changes, conflicts } = mergeEdit(edit, theirs.fields);
    if (conflicts.length) return wrong(UNDECIDED);
    const isSaved = Object.keys(changes).length === 0;
    const refusal = isSaved ? null : await saving.send(changes, theirs.version);
    if (!refusal) return saving.settle(isSaved ? edit.mine : changes), null;
    if (refusal.code !== "CONFLICT") return problemOf(refusal, saving.names);
    try {
      await saving.read();
    } catch (error) {
      return wrong(error instanceof Error ? error.message : String(error));
    }
  }
  return wrong(BUSY);
}
