import { Entities, type Entity } from "./entities.js";
import { createListeners } from "./listeners.js";
import { isObject, isVersioned, mapFields, type Json } from "./json.js";
import { RecentMap } from "./recent_map.js";

export interface CacheOptions {
  /** How many objects are remembered (10,000): the least recently written ones are forgotten first. */
  readonly maxEntities?: number | undefined;
  /** How many ids of deleted objects are remembered (10,000). */
  readonly maxDeleted?: number | undefined;
}

/** An item of a subscription. Only `__typename` says whether the object is gone. */
export interface StreamItem {
  readonly __typename?: string;
  readonly cursor?: string;
  readonly taskId?: string | null;
  readonly task?: unknown;
  readonly reason?: string;
}

export interface Cache {
  /** Grows with each `reset`. Pass the value of the time of sending to `write`. */
  readonly generation: number;
  /** How many objects are remembered. */
  readonly size: number;
  /**
   * Stores all objects of *data* that have an `id` and a `version`, and returns the same selection with the newest known value of
   * each field. Deleted objects are removed from lists; elsewhere null takes their place.
   * @param generation what `generation` was when the request was sent: a response from before a reset overwrites nothing.
   */
  write<T>(data: T, generation?: number): T;
  /** The same for the data of a subscription: items say which objects are gone, and which have come back. */
  writeStream<T>(data: T): T;
  /** All known fields of an object; undefined: unknown or deleted. The same object until one of its fields changes. */
  read(id: string): Entity | undefined;
  /** An object was deleted. Later responses do not bring it back. */
  delete(id: string): void;
  /** Whether it was deleted, or is no longer visible. */
  isDeleted(id: string): boolean;
  /** Forgets everything: the history was replaced, or permissions have changed. */
  reset(): void;
  /** Forgets everything unless it is of this user: another one sees other objects. `ask` calls it; undefined: not known. */
  resetFor(userId: string | undefined): void;
  /** Calls *listener* after each change, with the ids that changed; null: all. */
  subscribe(listener: (ids: ReadonlySet<string> | null) => void): () => void;
}

/** Creates a cache of versioned objects. It is not a cache of queries: it keeps old responses from overwriting new values. */
export function createCache(options: CacheOptions = {}): Cache {
  return new VersionedCache(options);
}

/** In the payload of a deletion: the id of what was deleted. */
const DELETED_ID = /^deleted\w*Id$/;

class VersionedCache implements Cache {
  readonly #entities: Entities;
  readonly #deleted: RecentMap<true>;
  /** No longer visible: the stream can bring them back. */
  readonly #hidden: RecentMap<true>;
  readonly #listeners = createListeners<[ReadonlySet<string> | null]>();
  #changed = new Set<string>();
  #userId: string | undefined;
  generation = 0;

  constructor({ maxEntities = 10_000, maxDeleted = 10_000 }: CacheOptions) {
    this.#entities = new Entities(maxEntities);
    this.#deleted = new RecentMap(maxDeleted);
    this.#hidden = new RecentMap(maxDeleted);
  }

  get size(): number {
    return this.#entities.size;
  }

  subscribe = (listener: (ids: ReadonlySet<string> | null) => void): (() => void) => this.#listeners.add(listener);

  read = (id: string): Entity | undefined => this.#entities.read(id);

  write<T>(data: T, generation = this.generation): T {
    const written = this.#merged(data as Json, generation === this.generation);
    this.#notify();
    return written as T;
  }

  writeStream<T>(data: T): T {
    for (const item of Object.values((data ?? {}) as Record<string, StreamItem | null>)) {
      if (item && typeof item.taskId === "string") this.#receive(item.taskId, item);
    }
    return this.write(data);
  }

  delete(id: string): void {
    this.#remove(id, this.#deleted);
    this.#notify();
  }

  isDeleted(id: string): boolean {
    return this.#deleted.has(id) || this.#hidden.has(id);
  }

  reset(): void {
    this.#entities.clear();
    this.#deleted.clear();
    this.#hidden.clear();
    this.generation++;
    this.#listeners.notify(null);
  }

  resetFor(userId = this.#userId): void {
    if (this.#userId && userId !== this.#userId) this.reset();
    this.#userId = userId;
  }

  /** The items of a stream are in order, so an object that comes with one is visible by now. A deletion is final. */
  #receive(id: string, { __typename, task }: StreamItem): void {
    if (__typename === "TaskDeleted") this.#remove(id, this.#deleted);
    else if (__typename === "TaskGone") this.#remove(id, this.#hidden);
    else if (task) this.#hidden.delete(id);
  }

  #remove(id: string, to: RecentMap<true>): void {
    to.set(id, true);
    this.#entities.delete(id);
    this.#changed.add(id);
  }

  #merged(value: Json, isCurrent: boolean): Json {
    if (Array.isArray(value)) return this.#mergedList(value, isCurrent);
    if (!isObject(value)) return value;
    if (isVersioned(value) && this.isDeleted(value.id)) return null;
    const merged = mapFields(value, (field, name) => this.#field(name, field, isCurrent));
    return isVersioned(merged) ? this.#entity(merged, isCurrent) : merged;
  }

  #field(name: string, value: Json, isCurrent: boolean): Json {
    if (typeof value === "string" && DELETED_ID.test(name)) this.#remove(value, this.#deleted);
    return this.#merged(value, isCurrent);
  }

  #entity(value: Entity, isCurrent: boolean): Json {
    const { entity, hasChanged } = isCurrent ? this.#entities.write(value) : this.#entities.overlay(value);
    if (hasChanged) this.#changed.add(value.id);
    return entity;
  }

  /** A list of objects, or of edges with a `node`. */
  #mergedList(list: readonly Json[], isCurrent: boolean): Json {
    return list.filter((each) => !this.#isDropped(each, isCurrent)).map((each) => this.#merged(each, isCurrent));
  }

  /** Deleted; or part of a list that was read before a reset, and not of those that were read after it. */
  #isDropped(each: Json, isCurrent: boolean): boolean {
    const node = isObject(each) && isObject(each["node"]) ? each["node"] : each;
    if (!isObject(node) || !isVersioned(node)) return false;
    return this.isDeleted(node.id) || (!isCurrent && !this.#entities.read(node.id));
  }

  #notify(): void {
    const changed = this.#changed;
    if (!changed.size) return;
    this.#changed = new Set();
    this.#listeners.notify(changed);
  }
}
