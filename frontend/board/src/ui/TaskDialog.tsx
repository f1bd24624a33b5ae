import { useState } from "preact/hooks";

import type { TaskStatus } from "../api/gql/graphql";
import { STATUSES } from "../board/columns";
import { changed, differing, FIELD_WORDS, fieldsOf } from "../board/fields";
import type { ShownTask } from "../board/optimism";
import type { Store } from "../board/store";
import { STATUS_WORDS } from "../board/words";
import { AssigneeSelect } from "./AssigneeSelect";
import { Dialog } from "./Dialog";
import { TaskFields } from "./TaskFields";
import { TaskHistory } from "./TaskHistory";

interface Props {
  readonly store: Store;
  /** The task as it is now; what others do to it is seen here, too. */
  readonly task: ShownTask;
  readonly onClose: () => void;
}

export function TaskDialog({ store, task, onClose }: Props) {
  const edit = useEdit(store, task, onClose);
  const remove = () => {
    if (!confirm(`Delete “${task.title}” for good?`)) return;
    onClose();
    void store.write.remove(task);
  };
  return (
    <Dialog store={store} title={task.title} dirty={edit.dirty} onClose={onClose}>
      <div class="at-once">
        <label>
          Status
          <select
            name="status" value={task.status} disabled={!task.viewerCanUpdateStatus}
            onChange={({ currentTarget }) => void store.write.move(task, currentTarget.value as TaskStatus)}
          >
            {STATUSES.map((status) => <option key={status} value={status}>{STATUS_WORDS[status]}</option>)}
          </select>
        </label>
        <label>
          Assigned to
          <AssigneeSelect
            store={store} value={task.assignee} disabled={!task.viewerCanAssign}
            onChoose={(assignee) => void store.write.assign(task, assignee)}
          />
        </label>
      </div>
      <form onSubmit={(event) => void edit.save(event)}>
        <TaskFields fields={edit.fields} onFields={edit.setFields} readOnly={!task.viewerCanUpdate} />
        {edit.theirs.length > 0 && (
          <p class="conflict" role="status">
            Changed by somebody else meanwhile: {edit.theirs.map((name) => FIELD_WORDS[name]).join(", ")}.
            <button type="button" onClick={edit.takeTheirs}>Show theirs</button>
            <button type="button" onClick={edit.keepMine}>Keep mine</button>
          </p>
        )}
        <p class="problem" role="alert">{edit.problem}</p>
        <div class="actions">
          <span class="fine">
            {task.owner?.username ?? "nobody"}’s task · version {task.version}
          </span>
          {task.viewerCanDelete && <button type="button" class="danger" onClick={remove}>Delete</button>}
          {task.viewerCanUpdate && (
            <button class="primary" disabled={edit.busy || !edit.dirty}>{edit.busy ? "Saving …" : "Save"}</button>
          )}
        </div>
      </form>
      <TaskHistory store={store} task={task} />
    </Dialog>
  );
}

/** What is being written, beside what others have written meanwhile. */
function useEdit(store: Store, task: ShownTask, onSaved: () => void) {
  const now = fieldsOf(task);
  // What the writer has seen of it.
  const [seen, setSeen] = useState({ fields: now, version: task.version });
  const [fields, setFields] = useState(now);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");

  const theirs = busy || task.pending ? [] : differing(seen.fields, now);
  // Another version with the same words is nothing to ask about.
  const version = theirs.length || task.pending ? seen.version : task.version;

  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    const answer = await store.write.update(task, changed(seen.fields, fields), version);
    setBusy(false);
    if (answer.made) onSaved();
    else setProblem(answer.message);
  };
  const look = () => {
    setSeen({ fields: now, version: task.version });
    setProblem("");
  };
  const takeTheirs = () => {
    look();
    setFields(now);
  };
  return { fields, setFields, busy, problem, theirs, save, takeTheirs, keepMine: look, dirty: differing(seen.fields, fields).length > 0 };
}
