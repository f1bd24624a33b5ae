// Reading all tasks, page by page.
import type { Api } from "../api/api";
import { ProjectPageDocument, TaskPageDocument, type TaskFilter } from "../api/gql/graphql";
import { merge, type Board, type Task } from "./fold";

/** More tasks than this are not held; the ones that changed last are. */
export const MOST = 3_000;

/** So many pages are read of what a filter finds beside them. */
const FOUND_PAGES = 3;

export interface Lists {
  readonly tasks: readonly Task[];
  /** The stream cursor before the first page: later changes follow it. */
  readonly cursor: string | null;
  /** Whether there are more than are held. */
  readonly partial: boolean;
}

/** Reads them all; *onPage* is handed each page but the last. Throws `RequestError`. */
export async function readLists(
  api: Api, projectId: string | null, onPage: (tasks: readonly Task[]) => void = () => {},
): Promise<Lists> {
  const tasks: Task[] = [];
  let cursor: string | null = null;
  let after: string | null = null;
  for (;;) {
    const page: Page = await readPage(api, projectId, after);
    tasks.push(...page.nodes);
    cursor ??= page.streamCursor;
    const partial = page.pageInfo.hasNextPage && tasks.length >= MOST;
    if (partial || !page.pageInfo.hasNextPage) return { tasks, cursor, partial };
    onPage(page.nodes);
    after = page.pageInfo.endCursor;
  }
}

/** Tasks that a filter finds on the server, the last changed first: a few pages of them. Throws `RequestError`. */
export async function findTasks(api: Api, projectId: string | null, filter: TaskFilter): Promise<readonly Task[]> {
  const tasks: Task[] = [];
  let after: string | null = null;
  for (let pages = 0; pages < FOUND_PAGES; pages++) {
    const page: Page = await readPage(api, projectId, after, filter);
    tasks.push(...page.nodes);
    if (!page.pageInfo.hasNextPage) break;
    after = page.pageInfo.endCursor;
  }
  return tasks;
}

interface Page {
  readonly nodes: readonly Task[];
  readonly streamCursor: string | null;
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/** Of all tasks, or those of one project with their labels. */
async function readPage(api: Api, projectId: string | null, after: string | null, filter?: TaskFilter): Promise<Page> {
  if (projectId === null) return (await api.ask(TaskPageDocument, { after, ...(filter && { filter }) })).tasks;
  return (await api.ask(ProjectPageDocument, { after, filter: { ...filter, projectId } })).tasks;
}

/** Ids of the tasks that a board has otherwise than *lists*: that it lacks, has in an older version, or has too many. */
export function differences(board: Board, lists: Lists): Set<string> {
  const listed = new Map<string, number>();
  for (const { id, version } of lists.tasks) listed.set(id, Math.max(version, listed.get(id) ?? 0));
  const found = new Set<string>();
  for (const [id, version] of listed) {
    const known = board.tasks.get(id);
    if (!known || known.version < version) found.add(id);
  }
  if (!lists.partial) for (const id of board.tasks.keys()) if (!listed.has(id)) found.add(id);
  return found;
}

/** The board with these tasks as *lists* have them, unless it has learned of newer ones since they were read. */
export function mend(board: Board, lists: Lists, ids: ReadonlySet<string>): Board {
  const listed = lists.tasks.filter(({ id }) => ids.has(id));
  const gone = new Set([...board.gone, ...ids]);
  for (const { id } of listed) gone.delete(id);
  const there = [...board.tasks].filter(([id]) => !gone.has(id));
  return merge({ ...board, tasks: new Map(there), gone }, listed);
}
