// A server in a few lines: tasks with versions, one log, and one viewer who may not see them all.
import type { Item, Task } from "../src/board/fold";
import type { Lists } from "../src/board/lists";
import { aTask, changedTo, cursorAt, goneFrom } from "./builders";

interface Logged {
  readonly id: string;
  readonly before: boolean;
  readonly after: boolean;
  readonly deleted: boolean;
}

const STATUSES = ["TODO", "IN_PROGRESS", "DONE", "CANCELLED"] as const;
const PAGE = 3;

export class Server {
  readonly tasks = new Map<string, { task: Task; visible: boolean }>();
  readonly log: Logged[] = [];

  constructor(private readonly roll: (sides: number) => number) {}

  get position(): number {
    return this.log.length;
  }

  /** Something happens to some task, or a new one is made. */
  act(): void {
    const ids = [...this.tasks.keys()];
    const id = ids[this.roll(ids.length + 1)];
    if (id === undefined) return this.#put(`t${this.position}`, { visible: this.roll(4) > 0 });
    const kind = this.roll(10);
    if (kind === 0) return this.#drop(id);
    if (kind < 4) return this.#put(id, { visible: !this.tasks.get(id)!.visible });
    this.#put(id, { change: { status: STATUSES[this.roll(4)]! } });
  }

  /** The viewer changes one of the tasks that it knows, or makes one: what the mutation answers, or null if refused. */
  write(known: readonly string[]): Task | null {
    const id = known[this.roll(known.length + 1)] ?? `t${this.position}`;
    const there = this.tasks.get(id);
    if (known.includes(id) && !there?.visible) return null;
    this.#put(id, { change: { title: `Written at ${this.position}` } });
    return this.tasks.get(id)!.task;
  }

  /** All pages, the last changed first; *between* happens between two of them. */
  read(between: () => void): Lists {
    const cursor = cursorAt(this.position);
    const tasks: Task[] = [];
    let last: Task | null = null;
    for (;;) {
      const page = this.visible().filter((task) => !last || isBehind(task, last)).slice(0, PAGE);
      tasks.push(...page);
      if (page.length < PAGE) return { tasks, cursor, partial: false };
      last = page.at(-1)!;
      between();
    }
  }

  /** The item of the event at a position, if the viewer gets one now. */
  itemAt(position: number): Item | null {
    const { id, before, after, deleted } = this.log[position - 1]!;
    if (after) {
      const now = this.tasks.get(id);
      if (now?.visible) return changedTo(now.task, position);
      return goneFrom(id, position, now ? "TaskGone" : "TaskDeleted");
    }
    return before ? goneFrom(id, position, deleted ? "TaskDeleted" : "TaskGone") : null;
  }

  visible(): Task[] {
    const seen = [...this.tasks.values()].filter(({ visible }) => visible).map(({ task }) => task);
    return seen.sort((one, other) => (isBehind(one, other) ? 1 : -1));
  }

  #put(id: string, { visible, change = {} }: { visible?: boolean; change?: Partial<Task> }): void {
    const known = this.tasks.get(id);
    const seen = visible ?? known?.visible ?? true;
    this.log.push({ id, before: known?.visible ?? false, after: seen, deleted: false });
    const task = aTask({
      ...known?.task, ...change, id, version: (known?.task.version ?? 0) + 1, updatedAt: instant(this.position),
    });
    this.tasks.set(id, { task, visible: seen });
  }

  #drop(id: string): void {
    this.log.push({ id, before: this.tasks.get(id)!.visible, after: false, deleted: true });
    this.tasks.delete(id);
  }
}

function isBehind(task: Task, other: Task): boolean {
  return task.updatedAt < other.updatedAt;
}

function instant(position: number): string {
  return new Date(Date.UTC(2026, 0, 1) + position * 1_000).toISOString();
}
