import type { Item, Task } from "../src/board/fold";

/** A cursor as the server makes them. */
export function cursorAt(position: number, epoch = "e", access = 1): string {
  return btoa(`s1.${epoch}.${position}.${access}`).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export function aTask(change: Partial<Task> = {}): Task {
  return {
    id: "t1", title: "Paint the boat", description: "", status: "TODO", priority: "MEDIUM", dueAt: null, version: 1,
    createdAt: "2026-01-01T00:00:00Z", updatedAt: "2026-01-01T00:00:00Z", owner: { id: "u1", username: "ada" },
    assignee: null, key: null, rank: null, commentCount: 0, subtaskCount: 0, doneSubtaskCount: 0, project: null, parent: null,
    viewerCanComment: true, viewerCanDeleteComments: true, viewerCanUpdate: true, viewerCanUpdateStatus: true, viewerCanAssign: true, viewerCanDelete: true,
    ...change,
  };
}

export function changedTo(task: Task, position: number): Item {
  return {
    __typename: "TaskChanged", cursor: cursorAt(position), at: task.updatedAt, taskId: task.id, task,
    changes: ["STATUS"], by: { username: "bob" },
  };
}

export function goneFrom(taskId: string, position: number, __typename: "TaskGone" | "TaskDeleted" = "TaskGone"): Item {
  return { __typename, cursor: cursorAt(position), at: "2026-01-01T00:00:00Z", taskId, task: null };
}

/** Numbers that look random and are the same in every run (mulberry32). */
export function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * sides);
  };
}
