// What was asked for and not answered yet, laid over what the server has told.
import type { Task } from "./fold";

/** One change on its way. `patch` is what it hopes for; null: that the task is no more. */
export interface Hope {
  readonly key: string;
  readonly taskId: string;
  readonly patch: Partial<Task> | null;
}

export interface ShownTask extends Task {
  /** Whether something that is shown has not been answered yet. */
  readonly pending?: boolean;
}

/** The tasks as the viewer hopes they are. Refused or answered, a hope is left out, and what is true shows again. */
export function hopeful(tasks: ReadonlyMap<string, Task>, hopes: readonly Hope[]): ReadonlyMap<string, ShownTask> {
  if (!hopes.length) return tasks;
  const shown = new Map<string, ShownTask>(tasks);
  for (const { taskId, patch } of hopes) {
    const task = shown.get(taskId);
    if (!task) continue;
    if (patch) shown.set(taskId, { ...task, ...patch, pending: true });
    else shown.delete(taskId);
  }
  return shown;
}
