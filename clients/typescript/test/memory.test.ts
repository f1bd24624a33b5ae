// A page that is open for a week: what it keeps does not depend on how many events it has received.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";

import { createCache, createStream, type WebSocketClass, type WebSocketLike } from "../src/index.js";
import { FakeSession } from "./fake_session.js";
import { settle, until } from "./until.js";

const EVENTS = 200_000;
const TASKS = 25_000;
/** Against a test that hangs. A busy machine needs minutes. */
const HANG = 600_000;

/** A socket in this process: its server is the test. */
class LocalSocket implements WebSocketLike {
  static last: LocalSocket;
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  operation: string | null = null;
  sent = 0;

  constructor() {
    LocalSocket.last = this;
    queueMicrotask(() => this.onopen?.({} as never));
  }

  send(data: string): void {
    this.sent++;
    const { type, id } = JSON.parse(data) as { type: string; id: string };
    if (type === "connection_init") this.receive({ type: "connection_ack" });
    if (type === "subscribe") this.operation = id;
  }

  receive(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) } as never);
  }

  close(): void {}
}

setFlagsFromString("--expose_gc");
const collect = runInNewContext("gc") as () => void;

function heap(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

/** Moves, hides and deletes tasks; each event has another cursor. */
function event(number: number): object {
  const id = `task-${number % TASKS}`;
  const item = { cursor: `czEu${number}`, taskId: id };
  if (number % 10 === 0) return { ...item, __typename: "TaskDeleted", taskId: `deleted-${number}`, task: null };
  if (number % 10 === 1) return { ...item, __typename: "TaskGone", taskId: `gone-${number}`, task: null };
  const task = { __typename: "Task", id, version: number, title: `Title ${number}`, assignee: { id: "u", username: "ann" } };
  return { ...item, __typename: "TaskChanged", task };
}

test("Fault 11: memory is flat over 200,000 events.", async () => {
  const cache = createCache();
  const stream = createStream({ session: new FakeSession("http://test/graphql"), webSocket: LocalSocket as unknown as WebSocketClass, cache });
  let received = 0;
  const stop = stream.subscribe({ query: "subscription { taskChanged { cursor } }" }, { next: () => void received++ });
  await until(() => LocalSocket.last?.operation);
  const sizes: number[] = [];
  for (let number = 0; number < EVENTS; number++) {
    LocalSocket.last.receive({ type: "next", id: LocalSocket.last.operation, payload: { data: { taskChanged: event(number) } } });
    if (number % 100 === 0) LocalSocket.last.receive({ type: "ping", payload: { cursors: { [LocalSocket.last.operation!]: `p${number}` } } });
    if (number % 50_000 === 49_999) await settle(3), sizes.push(heap());
  }
  expect(received).toBe(EVENTS);
  expect(cache.size).toBe(10_000);
  // From the second quarter on everything that is bounded is full.
  expect(Math.max(...sizes.slice(1)) - sizes[1]!).toBeLessThan(1_000_000);
  stop();
  stream.dispose();
}, HANG);
