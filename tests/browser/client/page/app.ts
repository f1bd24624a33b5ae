// What the page is made of, without a browser: a session, a stream, a cache, and the list of tasks that they keep up to date.
import { ask, createCache, createSession, createStream, type Cache, type Session, type Stream, type StreamOptions } from "@taskriver/client";

export interface Task {
  readonly id: string;
  readonly title: string;
  readonly status: string;
  readonly version: number;
}

export interface Changes {
  readonly taskChanged: {
    readonly __typename: string;
    readonly cursor: string;
    readonly taskId: string | null;
    readonly task: Task | null;
    readonly changes?: readonly string[];
  };
}

const LIST = "query Tasks { tasks(first: 50) { streamCursor nodes { __typename id title status version } } }";
export const CHANGES = `subscription Changes($after: String) {
  taskChanged(after: $after) {
    __typename cursor taskId task { __typename id title status version } ... on TaskChanged { changes } ... on ResyncRequired { reason } } }`;

/** A value with listeners, for `useSyncExternalStore`. */
export class Tasks {
  #tasks: readonly Task[] = [];
  readonly #listeners = new Set<() => void>();

  constructor(readonly session: Session, readonly cache: Cache) {}

  get = (): readonly Task[] => this.#tasks;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  /** Reads the list, and returns its position in the stream. */
  read = async (): Promise<string> => {
    const { tasks } = await ask<{ tasks: { streamCursor: string; nodes: Task[] } }>(this.session, { query: LIST }, { cache: this.cache, retries: 5 });
    this.#set(tasks.nodes);
    return tasks.streamCursor;
  };

  take({ taskId, task }: Changes["taskChanged"]): void {
    const others = this.#tasks.filter(({ id }) => id !== taskId);
    if (task) this.#set([...others, task]);
    else if (taskId && this.cache.isDeleted(taskId)) this.#set(others);
  }

  #set(tasks: readonly Task[]): void {
    this.#tasks = tasks;
    for (const listener of this.#listeners) listener();
  }
}

export interface App {
  readonly session: Session;
  readonly stream: Stream;
  readonly cache: Cache;
  readonly tasks: Tasks;
}

/** Creates everything, and sends nothing. */
export function createApp({ url, ...times }: Omit<StreamOptions, "session"> & { readonly url: string }): App {
  const session = createSession({ url });
  const cache = createCache();
  const tasks = new Tasks(session, cache);
  const stream = createStream({ session, cache, onResync: tasks.read, ...times });
  return { session, stream, cache, tasks };
}
