import type { TaskStatus } from "../api/gql/graphql";
import { STATUSES } from "../board/columns";
import { isUnsaved } from "../board/draft";
import { fieldsOf } from "../board/fields";
import type { ShownTask } from "../board/pending_changes";
import type { Store } from "../board/store";
import { isAllowed } from "../board/transitions";
import { STATUS_WORDS } from "../board/words";
import { AssigneeSelect } from "./AssigneeSelect";
import { Dialog } from "./Dialog";
import { TaskForm } from "./TaskForm";
import { TaskHistory } from "./TaskHistory";

interface Props {
  readonly store: Store;
  /** The task as it is now; what others do to it is seen here, too. */
  readonly task: ShownTask;
}

export function TaskDialog({ store, task }: Props) {
  const unsaved = isUnsaved(store.state.drafts.get(task.id), fieldsOf(task));
  const remove = async () => {
    const yes = await store.ask({
      title: `Delete “${task.title}”?`, yes: "Delete", no: "Cancel",
      text: unsaved ? "Your unsaved changes are lost, too. This cannot be undone." : "This cannot be undone.",
    });
    if (!yes) return;
    store.draft(task.id, () => null);
    store.navigation.close();
    void store.write.remove(task);
  };
  return (
    <Dialog store={store} title={task.title} task={task.id} onLeave={() => void store.close()}>
      <div class="at-once">
        <label>
          Status
          <StatusSelect task={task} onMove={(status) => void store.write.move(task.id, status)} />
        </label>
        <label>
          Assigned to
          <AssigneeSelect
            store={store} value={task.assignee} disabled={!task.viewerCanAssign}
            onChoose={(assignee) => void store.write.assign(task.id, assignee)}
          />
        </label>
      </div>
      <TaskForm store={store} task={task} onDelete={() => void remove()} />
      <TaskHistory store={store} task={task} />
    </Dialog>
  );
}

function StatusSelect({ task, onMove }: { task: ShownTask; onMove: (status: TaskStatus) => void }) {
  const offered = STATUSES.filter((status) => status === task.status || isAllowed(task.status, status));
  return (
    <select
      name="status" value={task.status} disabled={!task.viewerCanUpdateStatus}
      onChange={({ currentTarget }) => onMove(currentTarget.value as TaskStatus)}
    >
      {offered.map((status) => <option key={status} value={status}>{STATUS_WORDS[status]}</option>)}
    </select>
  );
}
