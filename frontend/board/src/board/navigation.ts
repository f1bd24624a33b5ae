// The current view, and the browser's history of views.
import { closed, formatView, isOpen, isSameForm, isSameWanted, ofProject, parseView, type View } from "./address";

type Change = (view: View) => View;

export interface Names {
  nameOf(id: string): string;
  idOf(name: string): string;
}

const UNKNOWN: Names = { nameOf: (id) => id, idOf: (name) => name };

export class Navigation {
  /** What the address says for the id of a task, and the id that a key in the address stands for, as far as known. */
  names: Names = UNKNOWN;
  view: View = parseView(location.search);
  /** Whether the open form may be left: asked before Back and Forward leave it. */
  guard: () => boolean | Promise<boolean> = () => true;
  /** Grows with every board that is shown. A project that gets another key keeps its board. */
  board = 0;
  /** The viewer has switched boards: the new one takes the focus, and says this first. Null: it was opened otherwise. */
  arrival: { readonly said: string | null } | null = null;
  /** The present keys of projects, by the keys that they had before. */
  readonly #renamed = new Map<string, string>();
  /** The place of the current entry among those that this page has made. */
  #index = indexOf(history.state) ?? 0;
  #arrived: (() => void) | null = null;
  #waiting: (() => void)[] = [];
  readonly #listeners = new Set<() => void>();

  constructor() {
    history.replaceState({ index: this.#index }, "");
    addEventListener("popstate", (event) => void this.#popped(event.state));
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Shows another view; Back leads to the one before. */
  push(change: Change): void {
    this.#show(change(this.view));
    this.#index++;
    this.#write(() => history.pushState({ index: this.#index }, "", this.#url()));
  }

  /** Shows another view in place of this one. */
  replace(change: Change): void {
    this.#show(change(this.view));
    this.#write(() => history.replaceState({ index: this.#index }, "", this.#url()));
  }

  /** Shows the board of a project, or of all tasks, which says something at first. */
  switchTo(project: string | null, { said = null, replacing = false }: { said?: string | null; replacing?: boolean } = {}): void {
    this.arrival = { said };
    if (replacing) this.replace(() => ofProject(project));
    else this.push(() => ofProject(project));
  }

  /** A project has another key: the address has it from now on, also where Back leads to. */
  rename(before: string, key: string): void {
    for (const [old, present] of this.#renamed) if (present === before) this.#renamed.set(old, key);
    this.#renamed.set(before, key);
    this.#renamed.delete(key);
    if (this.view.project !== before) return;
    this.#show({ ...this.view, project: key }, true);
    this.#write(() => history.replaceState({ index: this.#index }, "", this.#url()));
  }

  /** Closes the open form: goes back to the entry that opened it, if this page made that. */
  close(): void {
    if (!isOpen(this.view)) return;
    if (this.#index === 0) return this.replace(closed);
    this.#show(closed(this.view));
    this.#index--;
    this.#write(() => void this.#travel(-1).then(() => this.replace((view) => view)));
  }

  /** Shows the board without filters and forms: another user may sign in. */
  reset(): void {
    this.replace(() => parseView(""));
  }

  /** Back or Forward. An entry that must not be shown yet is left again while the guard asks. */
  async #popped(state: unknown): Promise<void> {
    if (this.#arrived) return this.#arrived();
    const view = this.#read();
    const steps = (indexOf(state) ?? this.#index + 1) - this.#index;
    const allowed = isSameForm(view, this.view) || this.guard();
    if (allowed !== true) {
      await this.#travel(-steps);
      if (!(await allowed)) return;
      await this.#travel(steps);
    }
    this.#index += steps;
    this.#show(view);
    this.#write(() => history.replaceState({ index: this.#index }, "", this.#url()));
  }

  /** Goes through the history without showing what is there. */
  async #travel(steps: number): Promise<void> {
    if (steps === 0) return;
    await new Promise<void>((arrived) => {
      this.#arrived = arrived;
      history.go(steps);
    });
    this.#arrived = null;
    for (const work of this.#waiting.splice(0)) work();
  }

  /** Changes the history, but not while the browser is on its way to another entry. */
  #write(work: () => void): void {
    if (this.#arrived) this.#waiting.push(work);
    else work();
  }

  /** Filters that are the same stay the same object: the columns are not drawn from the start for them. */
  #show(view: View, isSameBoard = view.project === this.view.project): void {
    const { wanted } = this.view;
    if (!isSameBoard) this.board++;
    this.view = isSameWanted(wanted, view.wanted) ? { ...view, wanted } : view;
    for (const listener of this.#listeners) listener();
  }

  #read(): View {
    const { project, task, ...view } = parseView(location.search);
    return {
      ...view, project: (project && this.#renamed.get(project)) ?? project, task: task === null ? null : this.names.idOf(task),
    };
  }

  #url(): string {
    return location.pathname + formatView(this.view, location.search, this.names.nameOf) + location.hash;
  }
}

function indexOf(state: unknown): number | null {
  const index = (state as { index?: unknown } | null)?.index;
  return typeof index === "number" ? index : null;
}
