import { useLayoutEffect, useRef } from "preact/hooks";

import { mergeEdit } from "../board/edit";
import { LABEL_WORDS } from "../board/labels";
import { Conflicts } from "./Conflicts";
import { FormProblem } from "../../../common/ui/Field";
import { LabelInputs } from "./LabelInputs";
import type { LabelEditing } from "./label_editing";
import { useForm } from "../../../common/ui/use";

/** The form of a label in the list. Escape leaves it, and not the dialog. */
export function EditLabel({ editing }: { editing: LabelEditing }) {
  const { label, edit, isDeleted } = editing;
  const theirs = editing.theirs!;
  const { busy, problem, submit } = useForm(isDeleted ? editing.salvage : editing.save, editing.stop);
  const form = useRef<HTMLFormElement>(null);
  useLayoutEffect(() => form.current?.querySelector<HTMLInputElement>("input")?.select(), []);
  const { merged, conflicts } = mergeEdit(edit, theirs);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || event.isComposing) return;
    event.preventDefault();
    editing.stop();
  };
  return (
    <form ref={form} class="label-form" aria-label={`Edit the label “${label!.name}”`} onSubmit={submit} onKeyDown={onKeyDown}>
      <LabelInputs of={`“${label!.name}”`} fields={merged} problem={problem} onField={editing.type} />
      <Conflicts
        names={busy || isDeleted ? [] : conflicts} words={LABEL_WORDS} mine={(name) => merged[name]} theirs={(name) => theirs[name]}
        onDecide={editing.decide}
      />
      <p class="note" role="status">
        {isDeleted && "This label was deleted, and its tasks have lost it. You can create a new label with what you see here."}
      </p>
      <FormProblem problem={problem} />
      <div class="actions">
        <button type="button" onClick={editing.stop}>Cancel</button>
        <button class="primary" aria-disabled={busy}>{isDeleted ? "Create label" : "Save label"}</button>
      </div>
    </form>
  );
}
