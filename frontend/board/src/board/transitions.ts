// Which moves between columns exist. The server has the same table in domain/task.py; a test compares them.
import type { TaskStatus } from "../api/gql/graphql";
import { STATUSES } from "./columns";
import table from "./transitions.json";

const NEXT: Readonly<Record<TaskStatus, readonly string[]>> = table;

export function isAllowed(from: TaskStatus, to: TaskStatus): boolean {
  return NEXT[from].includes(to);
}

/** The columns that a task can move to, in the board's order. */
export function targets(from: TaskStatus): readonly TaskStatus[] {
  return STATUSES.filter((status) => isAllowed(from, status));
}

/** The nearest column to the left (-1) or right (1) that accepts the task; null: there is none. */
export function nearest(from: TaskStatus, step: -1 | 1): TaskStatus | null {
  const here = STATUSES.indexOf(from);
  const beside = step < 0 ? STATUSES.slice(0, here).reverse() : STATUSES.slice(here + 1);
  return beside.find((status) => isAllowed(from, status)) ?? null;
}

/** The shortest sequence of moves from one column to another, without the first: empty if they are the same. */
export function route(from: TaskStatus, to: TaskStatus): readonly TaskStatus[] {
  const routes: TaskStatus[][] = [[from]];
  for (const known of routes) {
    const last = known.at(-1)!;
    if (last === to) return known.slice(1);
    for (const next of targets(last)) if (!known.includes(next)) routes.push([...known, next]);
  }
  return [];
}
