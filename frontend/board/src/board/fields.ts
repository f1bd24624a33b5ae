// What a form holds of a task, as its inputs hold it. Pure.
import type { TaskPriority } from "../api/gql/graphql";
import type { Task } from "./fold";

export interface Fields {
  readonly title: string;
  readonly description: string;
  readonly priority: TaskPriority;
  readonly dueAt: string | null;
}

export type FieldName = keyof Fields;

export const BLANK: Fields = { title: "", description: "", priority: "MEDIUM", dueAt: null };

export const FIELDS = ["title", "description", "priority", "dueAt"] as const satisfies readonly FieldName[];

export const FIELD_WORDS: Readonly<Record<FieldName, string>> = {
  title: "Title",
  description: "Description",
  priority: "Priority",
  dueAt: "Due date",
};

export function fieldsOf({ title, description, priority, dueAt }: Task): Fields {
  return { title, description, priority, dueAt };
}

/** Whether both have the same value in this field, as the server compares: titles are stripped, dates are instants. */
export function isSame(name: FieldName, one: Fields, other: Fields): boolean {
  if (name === "title") return one.title.trim() === other.title.trim();
  if (name === "dueAt") return instant(one.dueAt) === instant(other.dueAt);
  return one[name] === other[name];
}

/** *fields* with the value that *from* has in one of them. */
export function withField(fields: Fields, name: FieldName, from: Fields): Fields {
  return { ...fields, [name]: from[name] };
}

function instant(text: string | null): number | null {
  return text === null ? null : Date.parse(text);
}
