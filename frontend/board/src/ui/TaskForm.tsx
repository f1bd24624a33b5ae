import { conflicts, isUnsaved, merged } from "../board/draft";
import { FIELD_WORDS, fieldsOf, type FieldName, type Fields } from "../board/fields";
import type { ShownTask } from "../board/pending_changes";
import type { Store } from "../board/store";
import { PRIORITY_WORDS } from "../board/words";
import { Conflicts } from "./Conflicts";
import { Restored } from "./Restored";
import { TaskFields } from "./TaskFields";
import { exactly } from "../../../common/ui/times";
import { useSubmit } from "../../../common/ui/use";

interface Props {
  readonly store: Store;
  readonly task: ShownTask;
  readonly onDelete: () => void;
}

/** The fields that are saved together. What others save is shown where the writer changed nothing. */
export function TaskForm({ store, task, onDelete }: Props) {
  const { id } = task;
  const { busy, problem, submit } = useSubmit(
    () => store.edit.save(id),
    () => store.isUnsaved || store.navigation.close(),
  );
  // The server's values: a pending change is no change of another user.
  const theirs = fieldsOf(store.state.board.tasks.get(id) ?? task);
  const draft = store.state.drafts.get(id);
  const undecided = busy ? [] : conflicts(draft, theirs);
  const unsaved = isUnsaved(draft, theirs);
  return (
    <form onSubmit={submit}>
      <Restored draft={draft} />
      <TaskFields
        fields={merged(draft, theirs)} readOnly={!task.viewerCanUpdate}
        onField={(name, typed, shown) => store.edit.type(id, name, typed, shown)}
      />
      <Conflicts
        names={undecided} words={FIELD_WORDS} mine={(name) => shown(name, draft?.mine ?? theirs)} theirs={(name) => shown(name, theirs)}
        onDecide={(name, choice) => store.edit.decide(id, name, choice)}
      />
      {unsaved && !task.viewerCanUpdate && (
        <p class="problem">You may no longer change this task. Copy your text if you need it.</p>
      )}
      <p class="problem" role="alert">{undecided.length || unsaved ? problem : ""}</p>
      <div class="actions">
        <span class="fine">
          {task.owner ? `Owner: ${task.owner.username}` : "No owner"} · version {task.version}
        </span>
        {task.viewerCanDelete && <button type="button" class="danger" onClick={onDelete}>Delete</button>}
        {task.viewerCanUpdate && (
          <button class="primary" disabled={!busy && !unsaved} aria-disabled={busy}>{busy ? "Saving …" : "Save"}</button>
        )}
      </div>
    </form>
  );
}

function shown(name: FieldName, fields: Fields): string {
  if (name === "priority") return PRIORITY_WORDS[fields.priority];
  if (name === "dueAt") return fields.dueAt === null ? "" : exactly(fields.dueAt);
  return fields[name];
}
