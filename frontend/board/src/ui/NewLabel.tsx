import { useState } from "preact/hooks";

import { FIRST_LABEL } from "../board/labels";
import type { Store } from "../board/store";
import { FormProblem } from "../../../common/ui/Field";
import { LabelInputs } from "./LabelInputs";
import { useForm } from "../../../common/ui/use";

interface Props {
  readonly store: Store;
  /** The word on the button. */
  readonly word: string;
  readonly onCreated?: (id: string) => void;
}

/** Creates a label in the project. The name is typed anew for the next one, and the colour stays. */
export function NewLabel({ store, word, onCreated }: Props) {
  const [fields, setFields] = useState(FIRST_LABEL);
  const { busy, problem, submit } = useForm(
    () => store.labels.create(fields, onCreated), () => setFields(({ color }) => ({ ...FIRST_LABEL, color })),
  );
  return (
    <form class="label-form" onSubmit={submit}>
      <LabelInputs
        label="New label" of="a new label" fields={fields} problem={problem}
        onField={(name, value) => setFields((before) => ({ ...before, [name]: value }))}
      />
      <FormProblem problem={problem} />
      <div class="actions"><button aria-disabled={busy}>{word}</button></div>
    </form>
  );
}
