import { userError } from "./session_state.js";
import type { Authorizer } from "./session.js";

export interface ChangeQueue {
  /**
   * Sends the changes of one object one after another, each with the version that the previous one made. Different objects do
   * not wait for each other.
   * @param id the object
   * @param seen the version that the user has seen
   * @param send sends the change; *expectedVersion* is the greatest version that the user has seen or made
   * @param versionOf the version in the response; undefined: the change was refused
   */
  run<T>(
    id: string, seen: number, send: (expectedVersion: number) => Promise<T>, versionOf: (response: T) => number | null | undefined,
  ): Promise<T>;
  /** How many objects have a change under way. */
  readonly size: number;
}

/** Creates a queue of changes. When the user of the session signs out, changes that were not sent yet are rejected. */
export function createChangeQueue(session?: Authorizer): ChangeQueue {
  const last = new Map<string, Promise<number>>();
  return {
    get size() {
      return last.size;
    },
    run(id, seen, send, versionOf) {
      const userId = session?.state?.user?.id;
      const before = last.get(id) ?? Promise.resolve(0);
      const response = before.then((made) => {
        const error = userError(session?.state, userId);
        if (error) throw error;
        return send(Math.max(seen, made));
      });
      const version = response.then(versionOf).catch(() => null).then((made) => made ?? before);
      last.set(id, version);
      void version.then(() => last.get(id) === version && last.delete(id));
      return response;
    },
  };
}
