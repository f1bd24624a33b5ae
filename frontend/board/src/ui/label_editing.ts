// Which label of the dialog is edited, and what is typed for it.
import { useRef, useState } from "preact/hooks";

import { decided, mergeEdit, settled, typed, type Edit } from "../board/edit";
import { labelFieldsOf, type LabelFields } from "../board/labels";
import type { Label } from "../board/project";
import type { Store } from "../board/store";
import { useUnsaved } from "./use";

interface Editing {
  /** As it was when the editing began: it may be deleted since. */
  readonly label: Label;
  readonly edit: Edit<LabelFields> | undefined;
}

export type LabelEditing = ReturnType<typeof useLabelEditing>;

export function useLabelEditing(store: Store, canManage: boolean) {
  const [editing, setEditing] = useState<Editing | null>(null);
  const latest = useRef(editing);
  const put = (next: Editing | null) => {
    latest.current = next;
    setEditing(next);
  };
  const labels = store.state.project?.labels ?? [];
  const known = labels.find(({ id }) => id === editing?.label.id);
  const theirs = editing ? labelFieldsOf(known ?? editing.label) : null;
  const change = (to: (edit: Edit<LabelFields> | undefined) => Edit<LabelFields> | undefined) => {
    if (latest.current) put({ ...latest.current, edit: to(latest.current.edit) });
  };
  const stop = () => put(null);
  useUnsaved(store, {
    isUnsaved: () => canManage && !!theirs && Object.keys(mergeEdit(latest.current?.edit, theirs).changes).length > 0,
    forget: stop,
  });
  return {
    label: editing?.label ?? null,
    edit: editing?.edit,
    theirs,
    isDeleted: editing !== null && !known,
    /** Edits a label; asks first if what is typed for another one would be lost. */
    start: async (label: Label) => {
      if (await store.mayLeaveDialog()) put({ label, edit: undefined });
    },
    stop,
    type: (name: keyof LabelFields, value: string) => change((edit) => (theirs ? typed(edit, name, value, theirs) : edit)),
    decide: (name: keyof LabelFields, choice: "MINE" | "THEIRS") =>
      change((edit) => (edit && theirs ? decided(edit, name, theirs, choice) : edit)),
    save: () => store.labels.save(
      editing!.label.id, () => latest.current?.edit, (sent) => change((edit) => edit && settled(edit, sent)),
    ),
    /** Creates a label with what was typed for one that was deleted. */
    salvage: () => store.labels.create(mergeEdit(latest.current?.edit, theirs!).merged),
  };
}
