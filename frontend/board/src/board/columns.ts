// From tasks to columns: filter, search, order. Pure.
import type { TaskFilter, TaskPriority, TaskStatus } from "../api/gql/graphql";
import type { ShownTask } from "./pending_changes";
import { byRank } from "./ranks";

export const STATUSES = ["TODO", "IN_PROGRESS", "DONE", "CANCELLED"] as const satisfies readonly TaskStatus[];
export const PRIORITIES = ["LOW", "MEDIUM", "HIGH", "URGENT"] as const satisfies readonly TaskPriority[];

/** `RANK` is the manual order, which only projects have. */
export const ORDERS = ["RANK", "UPDATED", "PRIORITY", "DUE", "CREATED"] as const;
export const WHOSE = ["ALL", "OWNED", "ASSIGNED", "UNASSIGNED"] as const;

export type Order = (typeof ORDERS)[number];
export type Whose = (typeof WHOSE)[number];

export interface Wanted {
  readonly search: string;
  readonly priority: TaskPriority | "ALL";
  readonly whose: Whose;
  readonly order: Order;
  /** The id of a label. */
  readonly label: string | null;
}

export const EVERYTHING: Wanted = { search: "", priority: "ALL", whose: "ALL", order: "UPDATED", label: null };

/** What a board shows at first: a project its manual order. */
export function everythingOf(project: string | null): Wanted {
  return project === null ? EVERYTHING : { ...EVERYTHING, order: "RANK" };
}

/** Characters that the server needs to look for. */
const SHORTEST_SEARCH = 3;

export type Columns = Readonly<Record<TaskStatus, readonly ShownTask[]>>;

/** Whether anything is left out. */
export function isFiltered({ search, priority, whose, label }: Wanted): boolean {
  return search.trim() !== "" || priority !== "ALL" || whose !== "ALL" || label !== null;
}

/** The same as the server can look for; null: everything, or not so. */
export function asked({ search, priority, whose, label }: Wanted, viewer: string): TaskFilter | null {
  const words = search.trim();
  const found: TaskFilter = {
    ...(words.length >= SHORTEST_SEARCH && { search: words }),
    ...(priority !== "ALL" && { priority: [priority] }),
    ...(whose === "OWNED" && { ownerId: viewer }),
    ...(whose === "ASSIGNED" && { assigneeId: viewer }),
    ...(label !== null && { labelIds: [label] }),
  };
  return Object.keys(found).length ? found : null;
}

/** Without the tasks that stand in their parents. A filter finds them, too. */
export function topLevel<Each extends Pick<ShownTask, "parent">>(tasks: Iterable<Each>, wanted: Wanted): Iterable<Each> {
  return isFiltered(wanted) ? tasks : [...tasks].filter(({ parent }) => !parent);
}

/** The tasks that are wanted, by status, in order. *viewer* is the id of who looks. */
export function columns(tasks: Iterable<ShownTask>, wanted: Wanted, viewer: string): Columns {
  const found: Record<TaskStatus, ShownTask[]> = { TODO: [], IN_PROGRESS: [], DONE: [], CANCELLED: [] };
  const words = wanted.search.trim().toLowerCase();
  for (const task of tasks) if (isWanted(task, wanted, words, viewer)) found[task.status].push(task);
  const compare = COMPARE[wanted.order];
  for (const status of STATUSES) found[status].sort((one, other) => compare(one, other) || byId(one, other));
  return found;
}

function isWanted(task: ShownTask, { priority, whose, label }: Wanted, words: string, viewer: string): boolean {
  if (label !== null && !task.labels?.nodes.some(({ id }) => id === label)) return false;
  if (priority !== "ALL" && task.priority !== priority) return false;
  if (whose === "OWNED" && task.owner?.id !== viewer) return false;
  if (whose === "ASSIGNED" && task.assignee?.id !== viewer) return false;
  if (whose === "UNASSIGNED" && task.assignee) return false;
  return !words || task.title.toLowerCase().includes(words) || task.description.toLowerCase().includes(words);
}

type Compare = (one: ShownTask, other: ShownTask) => number;

const byId: Compare = (one, other) => (one.id < other.id ? 1 : -1);
// Instants of one form in one zone: as texts they are in order, and comparing texts is quick.
const latest = (one: string, other: string) => (one === other ? 0 : one < other ? 1 : -1);
// What is on its way is the newest of all.
const byUpdate: Compare = (one, other) =>
  Number(other.pending ?? false) - Number(one.pending ?? false) || latest(one.updatedAt, other.updatedAt);

const COMPARE: Readonly<Record<Order, Compare>> = {
  RANK: byRank,
  UPDATED: byUpdate,
  CREATED: (one, other) => latest(one.createdAt, other.createdAt),
  PRIORITY: (one, other) =>
    PRIORITIES.indexOf(other.priority) - PRIORITIES.indexOf(one.priority) || byUpdate(one, other),
  DUE: (one, other) => latest(other.dueAt ?? "9999", one.dueAt ?? "9999"),
};
