import type { TaskStatus } from "../api/gql/graphql";
import { STATUSES } from "../board/columns";
import { isUnsaved } from "../board/draft";
import { fieldsOf } from "../board/fields";
import type { ShownTask } from "../board/pending_changes";
import type { Store } from "../board/store";
import { isAllowed } from "../board/transitions";
import { STATUS_WORDS } from "../board/words";
import { AssigneeSelect } from "./AssigneeSelect";
import { Comments } from "./Comments";
import { Dialog } from "./Dialog";
import { Subtasks } from "./Subtasks";
import { TaskForm } from "./TaskForm";
import { TaskHistory } from "./TaskHistory";
import { TaskLabels } from "./TaskLabels";
import { TaskPath } from "./TaskPath";

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
      text: unsaved ? "Your unsaved changes are lost. The task itself can be restored from the trash." : "It can be restored from the trash.",
    });
    if (!yes) return;
    store.draft(task.id, () => null);
    store.navigation.close();
    void store.write.remove(task);
  };
  return (
    <Dialog store={store} title={task.title} task={task.id} onLeave={() => void store.close()}>
      <TaskPath store={store} task={task} />
      <div class="at-once">
        <label>
          Status
          <StatusSelect task={task} onMove={(status) => void store.write.move(task.id, status)} />
        </label>
        <label>
          Assigned to
          <AssigneeSelect
            store={store} projectId={task.project?.id ?? null} value={task.assignee} disabled={!task.viewerCanAssign}
            onChoose={(assignee) => void store.write.assign(task.id, assignee)}
          />
        </label>
      </div>
      {store.state.project && <TaskLabels store={store} project={store.state.project} task={task} />}
      <TaskForm store={store} task={task} onDelete={() => void remove()} />
      {store.state.project && !task.parent && <Subtasks store={store} task={task} />}
      <Comments store={store} task={task} />
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
