// The view as the query string of the address, so that it can be shared, reloaded and gone back to. Pure.
import { everythingOf, EVERYTHING, ORDERS, PRIORITIES, WHOSE, type Wanted } from "./columns";

export interface View {
  /** The key of the project whose board is shown; null: all tasks. */
  readonly project: string | null;
  /** The open task: its id, or its key until it is known. */
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
  const project = params.get("project")?.toUpperCase() || null;
  const usual = everythingOf(project);
  const order = oneOf(ORDERS, params.get("order")) ?? usual.order;
  return {
    project,
    task,
    creating: task === null && params.has("new"),
    wanted: {
      search: (params.get("search") ?? "").slice(0, LONGEST_SEARCH),
      whose: oneOf(WHOSE, params.get("whose")) ?? EVERYTHING.whose,
      priority: oneOf(PRIORITIES, params.get("priority")) ?? EVERYTHING.priority,
      order: project === null && order === "RANK" ? usual.order : order,
      label: (project !== null && params.get("label")) || null,
    },
  };
}

/** The query string of a view; parameters of *query* that are not part of the view are kept. */
/** *nameOf* has the name of a task in the address: its key, or its id. */
export function formatView({ project, task, creating, wanted }: View, query: string, nameOf = (id: string) => id): string {
  const params = new URLSearchParams(query);
  const put = (name: string, value: string | null) => (value === null ? params.delete(name) : params.set(name, value));
  const usual = everythingOf(project);
  put("project", project);
  put("task", task === null ? null : nameOf(task));
  put("new", creating ? "1" : null);
  put("search", wanted.search || null);
  for (const name of ["whose", "priority", "order"] as const) {
    put(name, wanted[name] === usual[name] ? null : wanted[name].toLowerCase());
  }
  put("label", wanted.label);
  const text = params.toString();
  return text && `?${text}`;
}

export function isOpen({ task, creating }: View): boolean {
  return task !== null || creating;
}

/** The board of another project, without a form and without filters. */
export function ofProject(project: string | null): View {
  return { project, task: null, creating: false, wanted: everythingOf(project) };
}

/** Whether a text is the key of a task, such as WEB-12: ids are longer. */
export function isKey(text: string): boolean {
  return /^[a-z][a-z0-9]{1,9}-[1-9]\d{0,9}$/i.test(text);
}

/** The same view without a form. */
export function closed(view: View): View {
  return { ...view, task: null, creating: false };
}

/** Whether the same form, or none, is open in both. */
export function isSameForm(one: View, other: View): boolean {
  return one.project === other.project && one.task === other.task && one.creating === other.creating;
}

export function isSameWanted(one: Wanted, other: Wanted): boolean {
  return (Object.keys(one) as (keyof Wanted)[]).every((name) => one[name] === other[name]);
}

function oneOf<Value extends string>(values: readonly Value[], text: string | null): Value | undefined {
  return values.find((value) => value === text?.toUpperCase());
}
