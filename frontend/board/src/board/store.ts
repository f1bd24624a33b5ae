// The page's memory: what the server told, what was asked for, and how the stream stands.
import type { Session } from "../../../common/session";
import { createApi, type Api } from "../api/api";
import { Follower } from "./follower";
import { onceAFrame } from "./frames";
import { FIRST, type Notice, type Person, type State, type Touch } from "./state";
import { Writer } from "./writer";

const TOUCHED = 4_000;
const NOTICED = { SAID: 4_000, DONE: 4_000, REFUSED: 12_000 };

export class Store {
  state: State = FIRST;
  readonly api: Api;
  readonly follow: Follower;
  readonly write: Writer;
  readonly #listeners = new Set<() => void>();
  #notices = 0;
  readonly #tell = onceAFrame(() => this.#listeners.forEach((listener) => listener()));

  constructor(session: Session, readonly person: Person) {
    this.follow = new Follower(this);
    this.api = createApi(session, this.follow);
    this.write = new Writer(this);
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  set(change: Partial<State> | ((state: State) => Partial<State>)): void {
    this.state = { ...this.state, ...(typeof change === "function" ? change(this.state) : change) };
    this.#tell();
  }

  notice(kind: Notice["kind"], text: string): void {
    const id = ++this.#notices;
    this.set(({ notices }) => ({ notices: [...notices.slice(-2), { id, kind, text }] }));
    setTimeout(() => this.dismiss(id), NOTICED[kind]);
  }

  dismiss(id: number): void {
    this.set(({ notices }) => ({ notices: notices.filter((each) => each.id !== id) }));
  }

  /** Shows for a moment who has changed a task. */
  touch(taskId: string, touch: Touch): void {
    this.set(({ touched }) => ({ touched: new Map(touched).set(taskId, touch) }));
    setTimeout(() => {
      if (this.state.touched.get(taskId) !== touch) return;
      const touched = new Map(this.state.touched);
      touched.delete(taskId);
      this.set({ touched });
    }, TOUCHED);
  }

  end(): void {
    this.follow.end();
    this.api.line.end();
  }
}
