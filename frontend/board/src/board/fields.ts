// What a form holds of a task, as its inputs hold it. Pure.
import type { TaskPriority } from "../api/gql/graphql";
import type { Task } from "./fold";

export interface Fields {
  readonly title: string;
  readonly description: string;
  readonly priority: TaskPriority;
  readonly dueAt: string | null;
}

export const BLANK: Fields = { title: "", description: "", priority: "MEDIUM", dueAt: null };

const NAMES = ["title", "description", "priority", "dueAt"] as const satisfies readonly (keyof Fields)[];

export const FIELD_WORDS: Readonly<Record<keyof Fields, string>> = {
  title: "title",
  description: "description",
  priority: "priority",
  dueAt: "due date",
};

export function fieldsOf({ title, description, priority, dueAt }: Task): Fields {
  return { title, description, priority, dueAt };
}

/** The names of the fields that *other* has otherwise. */
export function differing(one: Fields, other: Fields): (keyof Fields)[] {
  return NAMES.filter((name) => one[name] !== other[name]);
}

/** What has to be sent to turn *before* into *after*. */
export function changed(before: Fields, after: Fields): Partial<Fields> {
  return Object.fromEntries(differing(before, after).map((name) => [name, after[name]]));
}
