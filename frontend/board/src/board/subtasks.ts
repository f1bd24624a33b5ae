// Subtasks of the tasks that the board holds. Pure.
import type { Task } from "./fold";
import { byRank } from "./ranks";

export interface Progress {
  readonly done: number;
  readonly all: number;
}

/** How many subtasks each task has, and how many of them are done, by the id of the task. */
export function progressOf(tasks: Iterable<Pick<Task, "parent" | "status">>): ReadonlyMap<string, Progress> {
  const found = new Map<string, { done: number; all: number }>();
  for (const { parent, status } of tasks) {
    if (!parent) continue;
    const progress = found.get(parent.id) ?? { done: 0, all: 0 };
    progress.all++;
    if (status === "DONE") progress.done++;
    found.set(parent.id, progress);
  }
  return found;
}

/** The subtasks of a task, in their manual order. */
export function subtasksOf<Each extends Task>(tasks: Iterable<Each>, id: string): readonly Each[] {
  return [...tasks].filter(({ parent }) => parent?.id === id).sort(byRank);
}
