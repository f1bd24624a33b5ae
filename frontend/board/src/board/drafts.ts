// Drafts outlive a reload and a session that ends: in the storage of this tab, each user's under a key of their own.
import type { Draft } from "./draft";
import type { ProjectEdit } from "./settings";

/** By the id of the task, or `NEW`. */
export type Drafts = ReadonlyMap<string, Draft>;
export const NEW = "new";

type Storage = Pick<globalThis.Storage, "getItem" | "setItem" | "removeItem">;

/** Of tasks, or of what else *kind* names. */
export class DraftStorage<Each extends { readonly restored?: boolean } = Draft> {
  readonly #key: string;

  constructor(userId: string, private readonly storage: Storage = tabStorage(), kind = "drafts") {
    this.#key = `taskriver-${kind}:${userId}`;
  }

  read(): ReadonlyMap<string, Each> {
    try {
      const found = JSON.parse(this.storage.getItem(this.#key) ?? "{}") as Record<string, Each>;
      return new Map(Object.entries(found).map(([key, draft]) => [key, { ...draft, restored: true }]));
    } catch {
      return new Map();
    }
  }

  write(drafts: ReadonlyMap<string, Each>): void {
    if (drafts.size === 0) return this.storage.removeItem(this.#key);
    try {
      this.storage.setItem(this.#key, JSON.stringify(Object.fromEntries(drafts)));
    } catch {
      // The storage is full: the page still has them in its memory.
    }
  }
}

/** What was typed for projects, by their ids. */
export function projectStorage(userId: string): DraftStorage<ProjectEdit> {
  return new DraftStorage<ProjectEdit>(userId, tabStorage(), "project-drafts");
}

/** Whether a user has anything that is not saved. */
export function hasDrafts(userId: string): boolean {
  return new DraftStorage(userId).read().size > 0 || projectStorage(userId).read().size > 0;
}

/** The tab's storage; where the browser forbids it, the page's memory. */
function tabStorage(): Storage {
  try {
    return sessionStorage;
  } catch {
    return memory;
  }
}

const kept = new Map<string, string>();
const memory: Storage = {
  getItem: (key) => kept.get(key) ?? null,
  setItem: (key, value) => void kept.set(key, value),
  removeItem: (key) => void kept.delete(key),
};
