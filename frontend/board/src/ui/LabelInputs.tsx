import type { Problem } from "../../../common/problem";
import type { LabelFields } from "../board/labels";
import { Field } from "../../../common/ui/Field";

interface Props {
  /** What is shown as the name of the first input. */
  readonly label?: string;
  /** The label, in the names of the inputs: "Name of a new label". */
  readonly of: string;
  readonly fields: LabelFields;
  readonly problem: Problem | null;
  readonly onField: (name: keyof LabelFields, value: string) => void;
}

/** The name and the colour of a label. The server knows the greatest length of a name, and says if one is too long. */
export function LabelInputs({ label = "Name", of, fields, problem, onField }: Props) {
  return (
    <div class="label-inputs">
      <Field name="name" label={label} problem={problem}>
        {(props) => (
          <input
            {...props} aria-label={`Name of ${of}`} required autocomplete="off" value={fields.name}
            onInput={(event) => onField("name", event.currentTarget.value)}
          />
        )}
      </Field>
      <Field name="color" label="Color" problem={problem}>
        {(props) => (
          <input
            {...props} type="color" aria-label={`Color of ${of}`} value={fields.color}
            onInput={(event) => onField("color", event.currentTarget.value)}
          />
        )}
      </Field>
    </div>
  );
}
