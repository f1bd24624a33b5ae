import type { ComponentChildren } from "preact";

import type { Problem } from "../../../common/problem";
import { PROJECT_WORDS, type ProjectFields } from "../board/project_fields";
import { Field } from "../../../common/ui/Field";

interface Props {
  readonly fields: ProjectFields;
  readonly problem: Problem | null;
  readonly keyHint: ComponentChildren;
  readonly readOnly?: boolean;
  readonly onField: (name: keyof ProjectFields, value: string) => void;
}

/** The name, the key and the description of a project. The server knows their greatest lengths, and says if one is too long. */
export function ProjectInputs({ fields, problem, keyHint, readOnly = false, onField }: Props) {
  return (
    <>
      <Field name="name" label={PROJECT_WORDS.name} problem={problem}>
        {(props) => (
          <input
            {...props} required autocomplete="off" data-focus={!readOnly || undefined} readOnly={readOnly} value={fields.name}
            onInput={(event) => onField("name", event.currentTarget.value)}
          />
        )}
      </Field>
      <Field name="key" label={PROJECT_WORDS.key} problem={problem} hint={keyHint}>
        {(props) => (
          <input
            {...props} required pattern="[A-Za-z][A-Za-z0-9]{1,9}" maxLength={10} autocomplete="off" spellcheck={false}
            title="2 to 10 letters and digits; the first is a letter." readOnly={readOnly} value={fields.key}
            onInput={(event) => onField("key", event.currentTarget.value.toUpperCase())}
          />
        )}
      </Field>
      <Field name="description" label={PROJECT_WORDS.description} problem={problem}>
        {(props) => (
          <textarea
            {...props} rows={4} readOnly={readOnly} value={fields.description}
            onInput={(event) => onField("description", event.currentTarget.value)}
          />
        )}
      </Field>
    </>
  );
}
