import { PRIORITIES } from "../board/columns";
import type { Fields } from "../board/fields";
import { PRIORITY_WORDS } from "../board/words";
import { fromInput, toInput } from "./times";

interface Props {
  readonly fields: Fields;
  readonly onFields: (fields: Fields) => void;
  readonly readOnly: boolean;
}

export function TaskFields({ fields, onFields, readOnly }: Props) {
  const take = (change: Partial<Fields>) => onFields({ ...fields, ...change });
  return (
    <>
      <label>
        Title
        <input
          name="title" required maxLength={200} value={fields.title} readOnly={readOnly} autocomplete="off"
          onInput={(event) => take({ title: event.currentTarget.value })}
        />
      </label>
      <label>
        Description
        <textarea
          name="description" rows={5} maxLength={10_000} value={fields.description} readOnly={readOnly}
          onInput={(event) => take({ description: event.currentTarget.value })}
        />
      </label>
      <div class="pair">
        <label>
          Priority
          <select
            name="priority" value={fields.priority} disabled={readOnly}
            onChange={({ currentTarget }) => take({ priority: currentTarget.value as Fields["priority"] })}
          >
            {PRIORITIES.map((each) => <option key={each} value={each}>{PRIORITY_WORDS[each]}</option>)}
          </select>
        </label>
        <label>
          Due
          <input
            name="due" type="datetime-local" value={toInput(fields.dueAt)} readOnly={readOnly}
            onChange={(event) => take({ dueAt: fromInput(event.currentTarget.value) })}
          />
        </label>
      </div>
    </>
  );
}
