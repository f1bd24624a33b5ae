import type { ExecutionResult } from "graphql";

/** One event that a subscription received. */
export interface LoggedEvent {
  readonly number: number;
  readonly at: Date;
  /** The name of the subscription. */
  readonly operation: string;
  readonly result: ExecutionResult;
}

const MOST = 500;

/** The last 500 events of all subscriptions of this page, the newest first. They stay when another tab is opened. */
export class EventLog {
  #events: readonly LoggedEvent[] = [];
  #count = 0;
  #listeners = new Set<() => void>();

  /** The same array until the next event. */
  get events(): readonly LoggedEvent[] {
    return this.#events;
  }

  add(operation: string, result: ExecutionResult): void {
    this.#count += 1;
    this.#change([{ number: this.#count, at: new Date(), operation, result }, ...this.#events.slice(0, MOST - 1)]);
  }

  clear(): void {
    this.#change([]);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #change(events: readonly LoggedEvent[]): void {
    this.#events = events;
    for (const listener of this.#listeners) listener();
  }
}
