// The tasks by id, from lists and the stream. Pure; after any sequence it must equal a fresh fetch.
import type {
  CardFragment, ProjectCardFragment, ProjectChangesSubscription, TaskChangesSubscription,
} from "../api/gql/graphql";
import { isBy, placeOf, type Place } from "../stream/position";

/** The board of a project has the labels of its tasks. */
export type Task = CardFragment & Partial<Pick<ProjectCardFragment, "labels">>;
export type Item = TaskChangesSubscription["taskChanged"] | ProjectChangesSubscription["projectChanged"];

export interface Board {
  readonly tasks: ReadonlyMap<string, Task>;
  /** Tasks that are no longer visible: a late response must not restore them, only the stream may. */
  readonly gone: ReadonlySet<string>;
  /** Everything up to here has been taken in. */
  readonly place: Place | null;
  /** How often all of it was read anew. */
  readonly resets: number;
}

/** So many are remembered: a response that is still on its way is not older than the last of them. */
export const MOST_GONE = 5_000;

export const EMPTY: Board = { tasks: new Map(), gone: new Set(), place: null, resets: 0 };

/** Tasks that were read while nothing is lost to the stream: the newer version of each counts, unless it is gone. */
export function merge(board: Board, tasks: Iterable<Task>, place = board.place): Board {
  const merged = new Map(board.tasks);
  for (const task of tasks) if (!board.gone.has(task.id)) keepNewer(merged, task);
  return { ...board, tasks: merged, place };
}

/** The lists as they were just read, whatever was known before: they may be of other rights, or of another history. */
export function reset(board: Board, tasks: Iterable<Task>, cursor: string | null): Board {
  const listed = new Map<string, Task>();
  // Pages are read one after another, and a task that changes between two of them is in both.
  for (const task of tasks) keepNewer(listed, task);
  const gone = new Set([...board.gone, ...board.tasks.keys()].filter((id) => !listed.has(id)));
  return { tasks: listed, gone: latest(gone), place: placeOf(cursor), resets: board.resets + 1 };
}

/**
 * An item of the stream, in its order. Items that were applied already are skipped: a client that comes back may receive
 * again. `task` is the task of now, so the greater version wins. Only `TaskDeleted` and `TaskGone` remove a task: a change
 * may come without its task, because an error hid it, or because the task was deleted by then.
 */
export function fold(board: Board, items: readonly Item[]): Board {
  const tasks = new Map(board.tasks);
  const gone = new Set(board.gone);
  let place = board.place;
  for (const item of items) {
    const here = placeOf(item.cursor);
    if (isBy(here, place)) continue;
    place = here ?? place;
    if (item.taskId === null) continue;
    if (item.task) {
      gone.delete(item.taskId);
      keepNewer(tasks, item.task);
    } else if (item.__typename === "TaskDeleted" || item.__typename === "TaskGone") {
      gone.add(item.taskId);
      tasks.delete(item.taskId);
    }
  }
  return { ...board, tasks, gone: latest(gone), place };
}

/**
 * What a mutation answered: the task as it was when it was committed, which may be older than what is known by now.
 * *asked* is the board when it was sent. A new task is taken in only if nothing was read anew since: what was read then
 * would have it, if it were still there.
 */
export function learn(board: Board, task: Task, asked: Board): Board {
  const known = board.tasks.get(task.id);
  if (known ? known.version >= task.version : board.gone.has(task.id) || board.resets !== asked.resets) return board;
  return { ...board, tasks: new Map(board.tasks).set(task.id, withLabels(task, known)) };
}

/** A deletion with a response; the stream will deliver it, too. */
export function forget(board: Board, id: string): Board {
  const tasks = new Map(board.tasks);
  tasks.delete(id);
  return { ...board, tasks, gone: latest(new Set(board.gone).add(id)) };
}

/**
 * The board without the tasks that changed first, if it holds more than twice *most*: it then holds the *most* that changed
 * last, and those with the ids *kept*.
 */
export function trim(board: Board, most: number, kept: Iterable<string>): Board {
  if (board.tasks.size <= 2 * most) return board;
  const newestFirst = [...board.tasks.values()].sort((one, other) => Date.parse(other.updatedAt) - Date.parse(one.updatedAt));
  const tasks = new Map(newestFirst.slice(0, most).map((task) => [task.id, task]));
  for (const id of kept) if (board.tasks.has(id)) tasks.set(id, board.tasks.get(id)!);
  return { ...board, tasks };
}

/** The tasks of a project that has another key now: theirs begin with it. They have no new versions because of that. */
export function rekey(board: Board, { id, key }: { readonly id: string; readonly key: string }): Board {
  const old = [...board.tasks.values()].filter(({ project }) => project?.id === id && project.key !== key);
  if (!old.length) return board;
  const tasks = new Map(board.tasks);
  for (const task of old) {
    const number = task.key?.slice(task.key.lastIndexOf("-"));
    tasks.set(task.id, { ...task, key: number === undefined ? null : key + number, project: { id, key } });
  }
  return { ...board, tasks };
}

/** A label was deleted: its tasks lose it without new versions. */
export function withoutLabel(board: Board, labelId: string): Board {
  const tasks = new Map(board.tasks);
  for (const task of board.tasks.values()) {
    if (!task.labels?.nodes.some(({ id }) => id === labelId)) continue;
    tasks.set(task.id, { ...task, labels: { nodes: task.labels.nodes.filter(({ id }) => id !== labelId) } });
  }
  return { ...board, tasks };
}

/** The ids that were added last. */
function latest(gone: Set<string>): Set<string> {
  for (const id of gone) {
    if (gone.size <= MOST_GONE) break;
    gone.delete(id);
  }
  return gone;
}

function keepNewer(tasks: Map<string, Task>, task: Task): void {
  const known = tasks.get(task.id);
  if (!known || known.version <= task.version) tasks.set(task.id, withLabels(task, known));
}

/** Answers of mutations have no labels: those that are known stay until the stream brings others. */
function withLabels(task: Task, known: Task | undefined): Task {
  return task.labels || !known?.labels ? task : { ...task, labels: known.labels };
}
