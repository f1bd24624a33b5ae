// Changes without a response yet, applied to the tasks that the server has delivered.
import type { Task } from "./fold";

/** One change without a response. `patch` has its values; null: the task is deleted. */
export interface PendingChange {
  readonly key: string;
  readonly taskId: string;
  readonly patch: Partial<Task> | null;
}

export interface ShownTask extends Task {
  /** Whether a shown value has no response yet. */
  readonly pending?: boolean;
}

/** The tasks with pending changes applied. A change with a response is removed, so that the server's values show. */
export function withPendingChanges(
  tasks: ReadonlyMap<string, Task>,
  pendingChanges: readonly PendingChange[],
): ReadonlyMap<string, ShownTask> {
  if (!pendingChanges.length) return tasks;
  const shown = new Map<string, ShownTask>(tasks);
  for (const { taskId, patch } of pendingChanges) {
    const task = shown.get(taskId);
    if (!task) continue;
    if (patch) shown.set(taskId, { ...task, ...patch, pending: true });
    else shown.delete(taskId);
  }
  return shown;
}
