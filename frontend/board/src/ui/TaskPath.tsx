import { ofProject } from "../board/address";
import type { ShownTask } from "../board/pending_changes";
import type { Store } from "../board/store";

/** Where the task belongs: its project, its key, and the task of which it is a subtask. */
export function TaskPath({ store, task: { id, key, project, parent, viewerCanUpdate } }: { store: Store; task: ShownTask }) {
  if (!project || !key) return null;
  const above = parent && store.tasks.get(parent.id);
  const openBoard = () => store.leaveFor(() => ({ ...ofProject(project.key), task: id }));
  return (
    <p class="path">
      <span class="key">{key}</span>
      {store.projectKey === null && <button class="quiet" onClick={() => void openBoard()}>Open the board of {project.key}</button>}
      {above && store.projectKey !== null && (
        <button class="quiet" onClick={() => void store.show(above.id)}>Subtask of {above.key} {above.title}</button>
      )}
      {parent && viewerCanUpdate && store.projectKey !== null && (
        <button class="quiet" onClick={() => void store.write.detach(id)}>Remove from parent task</button>
      )}
    </p>
  );
}
