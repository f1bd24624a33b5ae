// What the items of a project's stream ask for, beside the tasks that they bring. Pure.
import type { Item, Task } from "./fold";

export interface Needs {
  /** Something of the project itself has changed: read it again. */
  readonly project: boolean;
  /** Ranks or rights of tasks have changed without new versions: read the tasks again. */
  readonly tasks: boolean;
  readonly members: boolean;
  /** Labels that were deleted: tasks lose them without new versions. */
  readonly deletedLabels: readonly string[];
  /** The viewer may no longer see the project, or it was deleted. */
  readonly gone: boolean;
  /** The tasks whose comments have changed. */
  readonly comments: readonly string[];
}

const OF_TASKS = new Set(["RANKS", "ARCHIVED", "REOPENED"]);

export function needsOf(items: readonly Item[]): Needs {
  const changes = items.flatMap((item) => ("projectChange" in item ? [item] : []));
  const ofProject = changes.map(({ projectChange }) => projectChange);
  const has = (name: Item["__typename"]) => items.some(({ __typename }) => __typename === name);
  return {
    project: ofProject.length > 0 || has("ProjectRoleChanged"),
    tasks: ofProject.some((change) => OF_TASKS.has(change)) || has("ProjectRoleChanged"),
    members: has("MemberChanged") || has("ProjectRoleChanged"),
    deletedLabels: changes.flatMap(({ projectChange, labelId }) => (projectChange === "LABEL_DELETED" && labelId ? [labelId] : [])),
    gone: has("ProjectGone") || ofProject.includes("DELETED"),
    comments: items.flatMap(({ __typename, taskId }) => (__typename === "CommentChanged" && taskId !== null ? [taskId] : [])),
  };
}

/** The item as the board of a project takes it: a task that has left the project is gone. */
export function within(projectId: string | null, item: Item): Item {
  if (projectId === null || !item.task || item.taskId === null || isOf(item.task, projectId)) return item;
  const { cursor, at, taskId } = item;
  return { __typename: "TaskGone", cursor, at, taskId, task: null };
}

function isOf({ project }: Task, projectId: string): boolean {
  return project?.id === projectId;
}
