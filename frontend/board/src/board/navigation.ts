// The current view, and the browser's history of views.
import { closed, formatView, isOpen, isSameForm, isSameWanted, parseView, type View } from "./address";

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
  #show(view: View): void {
    const { wanted } = this.view;
    this.view = isSameWanted(wanted, view.wanted) ? { ...view, wanted } : view;
    for (const listener of this.#listeners) listener();
  }

  #read(): View {
    const view = parseView(location.search);
    return view.task === null ? view : { ...view, task: this.names.idOf(view.task) };
  }

  #url(): string {
    return location.pathname + formatView(this.view, location.search, this.names.nameOf) + location.hash;
  }
}

function indexOf(state: unknown): number | null {
  const index = (state as { index?: unknown } | null)?.index;
  return typeof index === "number" ? index : null;
}
