import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { createStream, RequestError, type GraphQLResult, type Stream, type StreamOptions } from "../src/index.js";
import { FakeSession } from "./fake_session.js";
import { SocketServer, silentServer, webSocket } from "./socket_server.js";
import { pass, settle, until, useVirtualTime } from "./until.js";

const query = "subscription ($after: String) { taskChanged(after: $after) { __typename cursor task { id } } }";

let server: SocketServer;
let session: FakeSession;
const streams: Stream[] = [];

/** What a subscription receives. */
class Received {
  readonly results: GraphQLResult[] = [];
  readonly errors: RequestError[] = [];
  completed = 0;

  next = (result: GraphQLResult): void => void this.results.push(result);
  error = (error: RequestError): void => void this.errors.push(error);
  complete = (): void => void this.completed++;

  get cursors(): string[] {
    return this.results.flatMap(({ data }) => (data as { taskChanged?: { cursor: string } } | null)?.taskChanged?.cursor ?? []);
  }
}

function stream(options: Partial<StreamOptions> = {}): Stream {
  const created = createStream({ session, webSocket, ...options });
  streams.push(created);
  return created;
}

function subscribed(to: Stream, after: string | null = "start"): Received & { stop: () => void } {
  const received = new Received();
  return Object.assign(received, { stop: to.subscribe({ query, variables: { after } }, received) });
}

const item = (cursor: string, rest: object = {}) => ({ __typename: "TaskChanged", cursor, ...rest });
const resync = (cursor: string, reason = "EPOCH") => ({ __typename: "ResyncRequired", cursor, reason });

beforeEach(async () => {
  useVirtualTime();
  server = await SocketServer.start();
  session = new FakeSession(server.url);
});

afterEach(async () => {
  for (const each of streams.splice(0)) each.dispose();
  await server.stop();
  vi.useRealTimers();
});

test("It connects with its first subscription, and delivers each item once, in order, across connections.", async () => {
  const created = stream();
  expect(created.status.state).toBe("idle");
  const received = subscribed(created);
  const first = await server.peer(1);
  const operation = await first.operation();
  expect(first.token).toBe("token-1");
  expect(operation.payload).toEqual({ query, variables: { after: "start" } });
  first.item(operation.id, item("1"));
  first.item(operation.id, item("2"));
  await until(() => received.cursors.length === 2);
  first.close(1012);
  await until(() => created.status.state === "waiting");
  await pass(500);
  const second = await server.peer(2);
  const again = await second.operation();
  expect(again.payload!.variables).toEqual({ after: "2" });
  second.item(again.id, item("2"));
  second.item(again.id, item("3"));
  await until(() => received.cursors.length >= 3);
  expect(received.cursors).toEqual(["1", "2", "3"]);
  expect(created.status).toEqual({ state: "connected", connections: 2, error: null, retryAt: null });
});

test("A ping says where a subscription without items stands; one that an item overtook causes no duplicate.", async () => {
  const created = stream();
  const cursors: string[] = [];
  created.onCursor((cursor) => cursors.push(cursor));
  const received = subscribed(created, null);
  const first = await server.peer(1);
  const { id } = await first.operation();
  first.send({ type: "ping", payload: { cursors: { [id]: "5" } } });
  await until(() => first.of("pong").length === 1);
  first.item(id, item("6"));
  first.send({ type: "ping", payload: { cursors: { [id]: "5" } } });
  first.send({ type: "ping", payload: { cursors: { [id]: "5b" } } });
  await until(() => first.of("pong").length === 3);
  first.close(1012);
  await settle();
  await pass(500);
  const second = await server.peer(2);
  const again = await second.operation();
  expect(again.payload!.variables).toEqual({ after: "5b" });
  second.item(again.id, item("6"));
  second.item(again.id, item("7"));
  await until(() => received.cursors.includes("7"));
  expect(received.cursors).toEqual(["6", "7"]);
  expect(cursors).toEqual(["5", "6", "5b", "7"]);
});

test("Fault 1: ResyncRequired with a cursor that was passed before is handled, and so is the new history.", async () => {
  const reasons: unknown[] = [];
  const created = stream({ onResync: ({ reason, cursor }) => (reasons.push([reason, cursor]), "1") });
  const received = subscribed(created);
  const peer = await server.peer(1);
  const { id } = await peer.operation();
  peer.item(id, item("1"));
  peer.item(id, item("2"));
  peer.item(id, resync("2"));
  const second = await peer.operation(2);
  expect(reasons).toEqual([["EPOCH", "2"]]);
  expect(second.payload!.variables).toEqual({ after: "1" });
  expect(peer.of("complete").map((message) => message.id)).toEqual([id]);
  peer.item(second.id, item("2"));
  peer.item(second.id, item("1"));
  await until(() => received.cursors.length === 4);
  expect(received.cursors).toEqual(["1", "2", "2", "1"]);
});

test("Fault 1: without a cursor of the lists the stream continues from that of the item.", async () => {
  const created = stream();
  subscribed(created);
  const peer = await server.peer(1);
  const { id } = await peer.operation();
  peer.item(id, resync("9", "TRIMMED"));
  expect((await peer.operation(2)).payload!.variables).toEqual({ after: "9" });
});

test("While lists are read again nothing is held in memory: the server waits.", async () => {
  let done = (_: string): void => {};
  const created = stream({ onResync: () => new Promise((resolve) => (done = resolve)) });
  const received = subscribed(created);
  const peer = await server.peer(1);
  const { id } = await peer.operation();
  peer.item(id, resync("4"));
  for (let sent = 0; sent < 100; sent++) peer.item(id, item(`late-${sent}`));
  await until(() => peer.of("complete").length === 1);
  done("5");
  const { id: next, payload } = await peer.operation(2);
  expect(payload!.variables).toEqual({ after: "5" });
  peer.item(next, item("6"));
  await until(() => received.cursors.length > 0);
  expect(received.cursors).toEqual(["6"]);
});

test("Two subscriptions that must resync at the same time read the lists once.", async () => {
  let done = (_: string): void => {};
  const onResync = vi.fn(() => new Promise<string>((resolve) => (done = resolve)));
  const created = stream({ onResync });
  subscribed(created), subscribed(created);
  const peer = await server.peer(1);
  const [one, other] = [await peer.operation(1), await peer.operation(2)];
  peer.item(one.id, resync("1"));
  peer.item(other.id, resync("1"));
  await until(() => peer.of("complete").length === 2);
  done("7");
  const again = [await peer.operation(3), await peer.operation(4)];
  expect(again.map(({ payload }) => payload!.variables)).toEqual([{ after: "7" }, { after: "7" }]);
  expect(onResync).toHaveBeenCalledTimes(1);
});

test("Fault 2: a failing token does not end the stream, whatever the old socket does.", async () => {
  const created = stream();
  const received = subscribed(created);
  const first = await server.peer(1);
  const { id } = await first.operation();
  first.item(id, item("1"));
  await until(() => received.cursors.length === 1);
  session.failures.push(new TypeError("fetch failed"), new RequestError("UNAVAILABLE", "busy"), new Error("other"));
  first.close(1012);
  for (let passed = 0; passed < 8; passed++) await settle(), await pass(1_000);
  const second = await server.peer(2);
  const again = await second.operation();
  second.item(again.id, item("2"));
  await until(() => received.cursors.length === 2);
  expect(received.errors).toEqual([]);
  expect(session.failures).toEqual([]);
});

test("Fault 2: the late close of an old socket does not reach the next connection.", async () => {
  const created = stream();
  const received = subscribed(created);
  const first = await server.peer(1);
  await first.operation();
  first.socket.pause(); // Its close is acknowledged late.
  created.reconnect();
  await pass(50);
  const second = await server.peer(2);
  const { id } = await second.operation();
  first.socket.resume();
  first.close(4400, "late");
  await settle();
  second.item(id, item("1"));
  await until(() => received.cursors.length === 1);
  expect(received.errors).toEqual([]);
  expect(server.peers).toHaveLength(2);
});

test("Fault 5: an error in a result does not end the stream.", async () => {
  const received = subscribed(stream());
  const peer = await server.peer(1);
  const { id } = await peer.operation();
  const errors = [{ message: "No assignee." }];
  peer.item(id, item("1", { task: null }), { errors });
  peer.send({ type: "next", id, payload: { data: null, errors } });
  peer.item(id, item("2"));
  await until(() => received.results.length === 3);
  expect(received.results.map((result) => result.errors)).toEqual([errors, errors, undefined]);
  expect([received.errors, received.completed]).toEqual([[], 0]);
});

test("Fault 6: a stream ends when its user signs out or another one signs in.", async () => {
  const created = stream();
  const one = subscribed(created);
  const peer = await server.peer(1);
  await peer.operation();
  session.signIn("bob");
  expect(one.errors).toMatchObject([{ code: "USER_CHANGED" }]);
  await until(() => peer.isClosed);
  const other = subscribed(created);
  await (await server.peer(2)).operation();
  session.signOut();
  expect(other.errors).toMatchObject([{ code: "SIGNED_OUT" }]);
  expect(created.status).toMatchObject({ state: "idle", error: { code: "SIGNED_OUT" } });
  const none = subscribed(created);
  await until(() => none.errors.length === 1);
  expect(server.peers).toHaveLength(2);
});

test("A change of the role does not end the stream.", async () => {
  const created = stream();
  const received = subscribed(created);
  await (await server.peer(1)).operation();
  session.signIn("alice", "ADMIN");
  await settle();
  expect(received.errors).toEqual([]);
  expect(created.status.state).toBe("connected");
});

test("Fault 7: onResync that fails is repeated, and nothing is called after the end.", async () => {
  const onResync = vi.fn().mockRejectedValueOnce(new Error("down")).mockRejectedValueOnce(new Error("down")).mockResolvedValue("3");
  const created = stream({ onResync });
  const received = subscribed(created);
  const peer = await server.peer(1);
  const { id } = await peer.operation();
  peer.item(id, resync("1"));
  await until(() => onResync.mock.calls.length === 1);
  await pass(4_000);
  const again = await peer.operation(2);
  expect(again.payload!.variables).toEqual({ after: "3" });
  peer.item(again.id, item("4"));
  await until(() => received.cursors.length === 1);
  expect(onResync).toHaveBeenCalledTimes(3);
  expect(received.errors).toEqual([]);
  received.stop();
  peer.item(again.id, item("5"));
  await settle();
  expect(received.cursors).toEqual(["4"]);
});

test("Fault 7: a subscription that ends while lists are read again stays ended.", async () => {
  let done = (_: string): void => {};
  const created = stream({ onResync: () => new Promise((resolve) => (done = resolve)) });
  const received = subscribed(created);
  const other = subscribed(created);
  const peer = await server.peer(1);
  const { id } = await peer.operation();
  await peer.operation(2);
  peer.item(id, resync("1"));
  await until(() => peer.of("complete").length === 1);
  received.stop();
  done("2");
  await settle();
  expect(peer.of("subscribe")).toHaveLength(2);
  expect([received.errors, other.errors]).toEqual([[], []]);
});

test("Fault 8: a handshake that hangs is ended, and repeated.", async () => {
  const silent = await silentServer();
  try {
    const created = stream({ url: silent.url });
    const received = subscribed(created);
    await until(() => silent.connections() === 1);
    await pass(10_000, 1_000);
    expect(created.status).toMatchObject({ state: "waiting", error: { closeCode: 4408 } });
    await pass(1_000);
    await until(() => silent.connections() === 2);
    expect(received.errors).toEqual([]);
  } finally {
    silent.stop();
  }
});

test("Fault 8: a server that accepts the socket and does not acknowledge it is left, too.", async () => {
  server.acknowledges = false;
  const created = stream();
  subscribed(created);
  const peer = await server.peer(1);
  await until(() => peer.of("connection_init").length === 1);
  await pass(10_000, 1_000);
  expect(created.status).toMatchObject({ state: "waiting", connections: 0 });
});

test("Fault 8: a silent connection is replaced.", async () => {
  const created = stream();
  subscribed(created);
  await (await server.peer(1)).operation();
  await pass(30_000, 5_000);
  expect(created.status.state).toBe("waiting");
  await pass(500);
  await (await server.peer(2)).operation();
});

test("Fault 8: after a sleep a dead connection is noticed within five seconds, and a live one is kept.", async () => {
  const created = stream();
  subscribed(created);
  const first = await server.peer(1);
  await first.operation();
  created.check();
  await until(() => first.of("ping").length === 1);
  first.send({ type: "pong" });
  await settle();
  await pass(20_000, 5_000);
  expect(created.status.state).toBe("connected");
  created.check();
  await pass(5_000, 1_000);
  expect(created.status.state).toBe("waiting");
});

test("Fault 8: a connection that was silent during a sleep is replaced at once.", async () => {
  const created = stream();
  subscribed(created);
  await (await server.peer(1)).operation();
  vi.setSystemTime(Date.now() + 3_600_000); // Timers do not run in a machine that sleeps.
  created.check();
  expect(created.status.state).toBe("waiting");
});

test("Fault 8: `online` and a page that becomes visible end a pause; a pause of the server's holds.", async () => {
  const page = new EventTarget();
  const document = Object.assign(new EventTarget(), { visibilityState: "hidden" });
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page));
  vi.stubGlobal("document", document);
  const created = stream({ minDelay: 60_000, maxDelay: 60_000 });
  subscribed(created);
  for (const event of ["online", "pageshow"]) {
    (await server.peer(server.peers.length || 1)).close(1012);
    await until(() => created.status.state === "waiting");
    const before = server.peers.length;
    page.dispatchEvent(new Event(event));
    await server.peer(before + 1);
    await until(() => created.status.state === "connected");
  }
  server.peers.at(-1)!.close(1012);
  await until(() => created.status.state === "waiting");
  document.dispatchEvent(new Event("visibilitychange"));
  expect(created.status.state).toBe("waiting");
  document.visibilityState = "visible";
  session.failures.push(new RequestError("RATE_LIMITED", "Too many.", { retryAfter: 90 }));
  document.dispatchEvent(new Event("visibilitychange"));
  await until(() => created.status.error?.code === "RATE_LIMITED");
  const before = server.peers.length;
  page.dispatchEvent(new Event("online"));
  await settle();
  expect(created.status.state).toBe("waiting");
  expect(server.peers).toHaveLength(before);
});

test("Fault 9: pauses grow although each connection is acknowledged, and start small again after a stable one.", async () => {
  server.onPeer = (peer) => peer.socket.on("message", () => peer.close(1013));
  const created = stream();
  subscribed(created);
  await server.peer(1);
  for (let passed = 0; passed < 50; passed++) await settle(), await pass(100);
  expect(server.peers.length).toBeLessThanOrEqual(6);
  server.onPeer = () => {};
  for (let passed = 0; passed < 16; passed++) await settle(), await pass(1_000);
  await until(() => created.status.state === "connected");
  for (let passed = 0; passed < 6; passed++) {
    server.peers.at(-1)!.send({ type: "ping" });
    await settle(), await pass(2_000);
  }
  server.peers.at(-1)!.close(1012);
  await until(() => created.status.state === "waiting");
  expect(created.status.retryAt! - Date.now()).toBeLessThanOrEqual(500);
});

test("Fault 9: pauses differ between clients.", async () => {
  const pauses = new Set<number>();
  for (let client = 0; client < 5; client++) {
    session.failures.push(new Error("down"));
    const created = stream();
    subscribed(created);
    await until(() => created.status.state === "waiting");
    pauses.add(created.status.retryAt! - Date.now());
  }
  expect(pauses.size).toBeGreaterThan(1);
});

test("Fault 9: retryAfter of a refused operation and of a refused token is obeyed.", async () => {
  const created = stream();
  const received = subscribed(created);
  const peer = await server.peer(1);
  const { id } = await peer.operation();
  peer.send({ type: "error", id, payload: [{ message: "Busy.", extensions: { code: "RATE_LIMITED", retryAfter: 20 } }] });
  await settle();
  peer.send({ type: "ping" });
  await pass(19_900, 1_000);
  expect(peer.of("subscribe")).toHaveLength(1);
  await pass(1_000);
  await peer.operation(2);
  expect(received.errors).toEqual([]);
});

test("A token that has expired is renewed, on the connection and for an operation.", async () => {
  const created = stream();
  const received = subscribed(created);
  const first = await server.peer(1);
  await first.operation();
  first.close(4403, "Forbidden");
  await until(() => created.status.state === "waiting");
  await pass(500);
  const second = await server.peer(2);
  const { id } = await second.operation();
  second.send({ type: "error", id, payload: [{ message: "Expired.", extensions: { code: "UNAUTHENTICATED" } }] });
  await until(() => created.status.state === "waiting");
  await pass(1_000);
  const third = await server.peer(3);
  await third.operation();
  expect([first.token, second.token, third.token]).toEqual(["token-1", "token-2", "token-3"]);
  expect(received.errors).toEqual([]);
});

test("4401 renews the token once; again, it is an error, as other fatal codes are at once.", async () => {
  server.acknowledges = false;
  server.onPeer = (peer) => peer.socket.on("message", () => peer.close(4401, "Not a token"));
  const received = subscribed(stream());
  for (let passed = 0; passed < 4; passed++) await settle(), await pass(500);
  await until(() => received.errors.length === 1);
  expect(received.errors).toMatchObject([{ code: "CONNECTION_REFUSED", closeCode: 4401, message: "Not a token" }]);
  expect(server.peers).toHaveLength(2);
  server.onPeer = (peer) => peer.socket.on("message", () => peer.close(4400));
  const other = subscribed(stream());
  await until(() => other.errors.length === 1);
  expect(server.peers).toHaveLength(3);
});

test("A token that cannot be renewed is an error.", async () => {
  session.renews = false;
  const created = stream();
  const received = subscribed(created);
  (await server.peer(1)).close(4403);
  await until(() => created.status.state === "waiting");
  await pass(500);
  await until(() => received.errors.length === 1);
  expect(received.errors).toMatchObject([{ code: "CONNECTION_REFUSED" }]);
});

test("An operation that cannot be executed ends with its error; others continue.", async () => {
  const created = stream();
  const [wrong, right] = [subscribed(created), subscribed(created)];
  const peer = await server.peer(1);
  const [first, second] = [await peer.operation(1), await peer.operation(2)];
  peer.send({ type: "error", id: first.id, payload: [{ message: "Unknown field.", extensions: { code: "BAD_REQUEST" } }] });
  peer.item(second.id, item("1"));
  await until(() => right.cursors.length === 1);
  expect(wrong.errors).toMatchObject([{ code: "BAD_REQUEST", message: "Unknown field." }]);
  peer.send({ type: "complete", id: second.id });
  await until(() => right.completed === 1);
});

test("A sink that throws does not disturb the stream.", async () => {
  const thrown: unknown[] = [];
  const listener = (error: unknown) => void thrown.push(error);
  const before = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", listener);
  try {
    const created = stream();
    created.subscribe({ query }, { next: () => { throw new Error("in the page"); } });
    const received = subscribed(created);
    const peer = await server.peer(1);
    const [one, other] = [await peer.operation(1), await peer.operation(2)];
    peer.item(one.id, item("1"));
    peer.item(other.id, item("1"));
    await until(() => received.cursors.length === 1);
    await until(() => thrown.length === 1);
  } finally {
    process.off("uncaughtException", listener);
    for (const each of before) process.on("uncaughtException", each);
  }
});

test("A component that is mounted twice keeps one connection; the last one to leave closes it.", async () => {
  const created = stream();
  const first = subscribed(created);
  first.stop();
  const second = subscribed(created);
  const peer = await server.peer(1);
  await peer.operation();
  second.stop();
  await pass(900);
  expect(peer.isClosed).toBe(false);
  await pass(200);
  await until(() => peer.isClosed);
  expect(created.status.state).toBe("idle");
  expect(server.peers).toHaveLength(1);
});

test("Fault 14: dispose() at any moment is final and rejects nothing.", async () => {
  const rejections: unknown[] = [];
  process.on("unhandledRejection", (reason) => rejections.push(reason));
  const moments: ((created: Stream) => unknown)[] = [
    () => {},
    (created) => until(() => created.status.state !== "waiting"),
    (created) => until(() => created.status.state === "connected"),
    async (created) => (await until(() => created.status.state === "connected"), created.reconnect(10_000)),
    async (created) => (await until(() => created.status.state === "connected"), created.reconnect(), settle(1)),
  ];
  for (const moment of moments) {
    session.failures.push(new Error("down"));
    const created = stream({ minDelay: 1, maxDelay: 1, onResync: () => new Promise(() => {}) });
    const received = subscribed(created);
    await settle(), await pass(10, 1);
    await moment(created);
    created.dispose();
    expect(received.completed).toBe(1);
    expect(created.status.state).toBe("closed");
    await settle();
  }
  const count = server.peers.length;
  await pass(60_000, 10_000);
  expect(server.peers).toHaveLength(count);
  expect(rejections).toEqual([]);
  process.removeAllListeners("unhandledRejection");
});

test("A stream that was disposed of accepts no subscription.", () => {
  const created = stream();
  created.dispose();
  created.dispose();
  expect(subscribed(created).errors).toMatchObject([{ code: "CLOSED" }]);
});

test("reconnect() with a delay stays away for so long.", async () => {
  const created = stream();
  subscribed(created);
  await (await server.peer(1)).operation();
  created.reconnect(8_000);
  expect(created.status).toMatchObject({ state: "waiting", retryAt: Date.now() + 8_000 });
  await pass(7_900, 1_000);
  expect(server.peers).toHaveLength(1);
  await pass(200);
  await server.peer(2);
});

test("iterate() yields results; return() ends it while it waits.", async () => {
  const created = stream();
  const results = created.iterate({ query, variables: { after: "start" } });
  const peer = await server.peer(1);
  const { id } = await peer.operation();
  peer.item(id, item("1"));
  expect((await results.next()).value.data).toEqual({ taskChanged: item("1") });
  const waiting = results.next();
  await results.return!();
  expect(await waiting).toEqual({ done: true, value: undefined });
  await until(() => peer.of("complete").length === 1);
});

test("iterate() throws the error that ends it once.", async () => {
  const results = stream().iterate({ query });
  const peer = await server.peer(1);
  const { id } = await peer.operation();
  peer.send({ type: "error", id, payload: [{ message: "No.", extensions: { code: "FORBIDDEN" } }] });
  await expect(results.next()).rejects.toMatchObject({ code: "FORBIDDEN" });
  expect(await results.next()).toEqual({ done: true, value: undefined });
});

test("Fault 11: a slow consumer of iterate() makes the server wait; nothing is lost.", async () => {
  const results = stream().iterate<{ taskChanged: { cursor: string } }>({ query, variables: { after: "0" } });
  const peer = await server.peer(1);
  let position = 0;
  for (let operation = 1; operation <= 3; operation++) {
    const { id, payload } = await peer.operation(operation);
    expect(payload!.variables).toEqual({ after: `${position}` });
    for (let sent = 1; sent <= 1_000; sent++) peer.item(id, item(`${position + sent}`));
    await until(() => peer.of("complete").length === operation);
    for (let taken = 0; taken < 256; taken++) {
      expect((await results.next()).value.data.taskChanged.cursor).toBe(`${++position}`);
    }
  }
});

test("A list whose cursor is never accepted is read again after growing pauses.", async () => {
  const onResync = vi.fn(async () => "never");
  subscribed(stream({ onResync }));
  const peer = await server.peer(1);
  let answered = 0;
  const sendAll = () => {
    for (const { id } of peer.of("subscribe").slice(answered)) answered++, peer.item(id, resync("never"));
  };
  for (let passed = 0; passed < 50; passed++) sendAll(), peer.send({ type: "ping" }), await settle(), await pass(100);
  expect(onResync.mock.calls.length).toBeGreaterThan(1);
  expect(onResync.mock.calls.length).toBeLessThanOrEqual(7);
});

test("Without a WebSocket, or with an address that is none, the subscription ends with an error.", async () => {
  vi.stubGlobal("WebSocket", undefined);
  for (const options of [{ webSocket: undefined as never }, { url: "http://[" }]) {
    const received = subscribed(createStream({ session, webSocket, ...options }));
    await until(() => received.errors.length === 1);
    expect(received.errors).toMatchObject([{ code: "CONNECTION_REFUSED" }]);
  }
});

test("A wait that is longer than a timer can be does not become none.", async () => {
  session.failures.push(new RequestError("RATE_LIMITED", "Later.", { retryAfter: 10 ** 9 }));
  const created = stream();
  subscribed(created);
  await until(() => created.status.state === "waiting");
  await pass(60_000, 20_000);
  expect(created.status.state).toBe("waiting");
});
