import { isEqual, isObject, mapFields, type Json, type Versioned } from "./json.js";
import { RecentMap } from "./recent_map.js";

export type Entity = Versioned;

interface Known {
  readonly entity: Entity;
  /** The version of each field: selections differ, so that a response does not bring all of them. */
  readonly versions: Readonly<Record<string, number>>;
}

export interface Written {
  /** The fields of the written object with their newest values. */
  readonly entity: Entity;
  readonly hasChanged: boolean;
}

/** Objects by id, merged by field: the value with the greater version wins. */
export class Entities {
  readonly #known: RecentMap<Known>;

  constructor(limit: number) {
    this.#known = new RecentMap(limit);
  }

  get size(): number {
    return this.#known.size;
  }

  read(id: string): Entity | undefined {
    return this.#known.get(id)?.entity;
  }

  delete(id: string): void {
    this.#known.delete(id);
  }

  clear(): void {
    this.#known.clear();
  }

  write(value: Entity): Written {
    const known = this.#known.get(value.id);
    const next = known ? merged(known, value) : { entity: value, versions: versionsOf(value) };
    const hasChanged = !known || !isEqual(known.entity, next.entity);
    this.#known.set(value.id, hasChanged ? next : { ...next, entity: known.entity });
    return { entity: selected(value, next.entity), hasChanged };
  }

  /** The known values in place of those of an outdated response, which is not stored. */
  overlay(value: Entity): Written {
    const known = this.read(value.id);
    return { entity: known ? selected(value, known) : value, hasChanged: false };
  }
}

function versionsOf(value: Entity): Record<string, number> {
  return mapFields(value, () => value.version) as Record<string, number>;
}

function merged({ entity, versions }: Known, value: Entity): Known {
  const fields: Record<string, Json> = { ...entity };
  const newest: Record<string, number> = { ...versions };
  for (const [name, field] of Object.entries(value)) {
    if (versions[name]! > value.version) continue; // false for a new field
    fields[name] = versions[name] === value.version ? combined(entity[name], field) : field;
    newest[name] = value.version;
  }
  return { entity: fields as Entity, versions: newest };
}

/** Two selections of the same object, such as `assignee { id }` and `assignee { username }`. */
function combined(known: Json, value: Json): Json {
  return isObject(known) && isObject(value) && known["id"] && known["id"] === value["id"] ? { ...known, ...value } : value;
}

/** The fields of *value* as they are in *source*; a field of which *source* has another selection stays as it is. */
function selected(value: Entity, source: Entity): Entity {
  return mapFields(value, (field, name) => (covers(source[name], field) ? picked(source[name], field) : field)) as Entity;
}

/** Whether *source* has all that is selected in *value*. Of lists of objects it is unknown: their arguments may differ. */
function covers(source: Json, value: Json): boolean {
  if (source === undefined) return false;
  if (source === null) return true;
  if (Array.isArray(value)) return Array.isArray(source) && ![...value, ...source].some((each) => typeof each === "object");
  if (!isObject(value)) return true;
  return isObject(source) && Object.entries(value).every(([name, field]) => covers(source[name], field));
}

function picked(source: Json, value: Json): Json {
  if (!isObject(source) || !isObject(value)) return source;
  return mapFields(value, (field, name) => picked(source[name], field));
}
