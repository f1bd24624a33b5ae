// The view as the query string of the address, so that it can be shared, reloaded and gone back to. Pure.
import { EVERYTHING, ORDERS, PRIORITIES, WHOSE, type Wanted } from "./columns";

export interface View {
  /** The id of the open task. */
  readonly task: string | null;
  /** Whether the form for a new task is open. */
  readonly creating: boolean;
  readonly wanted: Wanted;
}

export const LONGEST_SEARCH = 200;

/** Values that mean nothing are read as the default. */
export function parseView(query: string): View {
  const params = new URLSearchParams(query);
  const task = params.get("task") || null;
  return {
    task,
    creating: task === null && params.has("new"),
    wanted: {
      search: (params.get("search") ?? "").slice(0, LONGEST_SEARCH),
      whose: oneOf(WHOSE, params.get("whose")) ?? EVERYTHING.whose,
      priority: oneOf(PRIORITIES, params.get("priority")) ?? EVERYTHING.priority,
      order: oneOf(ORDERS, params.get("order")) ?? EVERYTHING.order,
    },
  };
}

/** The query string of a view; parameters of *query* that are not part of the view are kept. */
export function formatView({ task, creating, wanted }: View, query: string): string {
  const params = new URLSearchParams(query);
  const put = (name: string, value: string | null) => (value === null ? params.delete(name) : params.set(name, value));
  put("task", task);
  put("new", creating ? "1" : null);
  put("search", wanted.search || null);
  for (const name of ["whose", "priority", "order"] as const) {
    put(name, wanted[name] === EVERYTHING[name] ? null : wanted[name].toLowerCase());
  }
  const text = params.toString();
  return text && `?${text}`;
}

export function isOpen({ task, creating }: View): boolean {
  return task !== null || creating;
}

/** The same view without a form. */
export function closed(view: View): View {
  return { ...view, task: null, creating: false };
}

/** Whether the same form, or none, is open in both. */
export function isSameForm(one: View, other: View): boolean {
  return one.task === other.task && one.creating === other.creating;
}

export function isSameWanted(one: Wanted, other: Wanted): boolean {
  return (Object.keys(one) as (keyof Wanted)[]).every((name) => one[name] === other[name]);
}

function oneOf<Value extends string>(values: readonly Value[], text: string | null): Value | undefined {
  return values.find((value) => value === text?.toUpperCase());
}
