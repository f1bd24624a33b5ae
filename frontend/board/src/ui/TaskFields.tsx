import { PRIORITIES } from "../board/columns";
import type { FieldName, Fields } from "../board/fields";
import { PRIORITY_WORDS } from "../board/words";
import { fromInput, toInput } from "../../../common/ui/times";

const LONGEST_TITLE = 200;
const LONGEST_DESCRIPTION = 10_000;

interface Props {
  readonly fields: Fields;
  /** An input got another value: *typed* has it, *shown* is what the form showed before. */
  readonly onField: (name: FieldName, typed: Fields, shown: Fields) => void;
  readonly readOnly: boolean;
}

export function TaskFields({ fields, onField, readOnly }: Props) {
  const take = <Name extends FieldName>(name: Name, value: Fields[Name]) =>
    onField(name, { ...fields, [name]: value }, fields);
  return (
    <>
      <label>
        Title
        <input
          name="title" required maxLength={LONGEST_TITLE} value={fields.title} readOnly={readOnly} autocomplete="off"
          data-focus={!readOnly || undefined} onInput={(event) => take("title", event.currentTarget.value)}
        />
      </label>
      <label>
        Description
        <textarea
          name="description" rows={5} maxLength={LONGEST_DESCRIPTION} value={fields.description} readOnly={readOnly}
          onInput={(event) => take("description", event.currentTarget.value)}
        />
      </label>
      <div class="pair">
        <label>
          Priority
          <select
            name="priority" value={fields.priority} disabled={readOnly}
            onChange={({ currentTarget }) => take("priority", currentTarget.value as Fields["priority"])}
          >
            {PRIORITIES.map((each) => <option key={each} value={each}>{PRIORITY_WORDS[each]}</option>)}
          </select>
        </label>
        <label>
          Due
          <input
            name="due" type="datetime-local" min="1970-01-02T00:00" max="9998-12-30T00:00" value={toInput(fields.dueAt)}
            readOnly={readOnly} onChange={(event) => take("dueAt", fromInput(event.currentTarget.value))}
          />
        </label>
      </div>
    </>
  );
}
