// What the parts of the store share: its state, and the ways to change it.
import type { Api } from "../api/api";
import type { Draft } from "./draft";
import type { Navigation } from "./navigation";
import type { ShownTask } from "./pending_changes";
import type { Notice, Person, State, Touch } from "./state";

export interface Context {
  readonly api: Api;
  readonly person: Person;
  readonly navigation: Navigation;
  /** The present key of the project of this board; null: all tasks. */
  readonly projectKey: string | null;
  readonly state: State;
  /** The tasks as they are by now, changes on their way included: what is drawn may be a frame older. */
  readonly tasks: ReadonlyMap<string, ShownTask>;
  set(change: Partial<State> | ((state: State) => Partial<State>)): void;
  notice(kind: Notice["kind"], text: string, undo?: () => void): void;
  /** The project of this board has this key now. */
  rename(key: string): void;
  /** Only the last move can be undone: the offers to undo others go. */
  withdrawUndo(): void;
  /** Shows for a moment who has changed a task. */
  touch(taskId: string, touch: Touch): void;
  /** Replaces the draft of a form; null: it has none. */
  draft(key: string, change: (draft: Draft | undefined) => Draft | null): void;
}
