// Drafts outlive a reload and a session that ends: in the storage of this tab, each user's under a key of their own.
import type { Draft } from "./draft";

/** By the id of the task, or `NEW`. */
export type Drafts = ReadonlyMap<string, Draft>;
export const NEW = "new";

type Storage = Pick<globalThis.Storage, "getItem" | "setItem" | "removeItem">;

export class DraftStorage {
  readonly #key: string;

  constructor(userId: string, private readonly storage: Storage = tabStorage()) {
    this.#key = `taskriver-drafts:${userId}`;
  }

  read(): Drafts {
    try {
      const found = JSON.parse(this.storage.getItem(this.#key) ?? "{}") as Record<string, Draft>;
      return new Map(Object.entries(found).map(([key, draft]) => [key, { ...draft, restored: true }]));
    } catch {
      return new Map();
    }
  }

  write(drafts: Drafts): void {
    if (drafts.size === 0) return this.storage.removeItem(this.#key);
    try {
      this.storage.setItem(this.#key, JSON.stringify(Object.fromEntries(drafts)));
    } catch {
      // The storage is full: the page still has them in its memory.
    }
  }
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
