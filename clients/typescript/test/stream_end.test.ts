import { expect, test, vi } from "vitest";

import { type Stream } from "../src/index.js";
import { aStage, item, query, resync, subscribed } from "./stage.js";
import { pass, settle, until } from "./until.js";

const stage = aStage();

test("Fault 6: a stream ends when its user signs out or another one signs in.", async () => {
  const created = stage.stream();
  const one = subscribed(created);
  const peer = await stage.server.peer(1);
  await peer.operation();
  stage.session.signIn("bob");
  expect(one.errors).toMatchObject([{ code: "USER_CHANGED" }]);
  await until(() => peer.isClosed);
  const other = subscribed(created);
  await (await stage.server.peer(2)).operation();
  stage.session.signOut();
  expect(other.errors).toMatchObject([{ code: "SIGNED_OUT" }]);
  expect(created.status).toMatchObject({ state: "idle", error: { code: "SIGNED_OUT" } });
  const none = subscribed(created);
  await until(() => none.errors.length === 1);
  expect(stage.server.peers).toHaveLength(2);
});

test("A change of the role does not end the stream.", async () => {
  const created = stage.stream();
  const received = subscribed(created);
  await (await stage.server.peer(1)).operation();
  stage.session.signIn("alice", "ADMIN");
  await settle();
  expect(received.errors).toEqual([]);
  expect(created.status.state).toBe("connected");
});

test("A component that is mounted twice keeps one connection; the last one to leave closes it.", async () => {
  const created = stage.stream();
  const first = subscribed(created);
  first.stop();
  const second = subscribed(created);
  const peer = await stage.server.peer(1);
  await peer.operation();
  second.stop();
  await pass(900);
  expect(peer.isClosed).toBe(false);
  await pass(200);
  await until(() => peer.isClosed);
  expect(created.status.state).toBe("idle");
  expect(stage.server.peers).toHaveLength(1);
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
    stage.session.failures.push(new Error("down"));
    const created = stage.stream({ minDelay: 1, maxDelay: 1, onResync: () => new Promise(() => {}) });
    const received = subscribed(created);
    await settle(), await pass(10, 1);
    await moment(created);
    created.dispose();
    expect(received.completed).toBe(1);
    expect(created.status.state).toBe("closed");
    await settle();
  }
  const count = stage.server.peers.length;
  await pass(60_000, 10_000);
  expect(stage.server.peers).toHaveLength(count);
  expect(rejections).toEqual([]);
  process.removeAllListeners("unhandledRejection");
});

test("A stream that was disposed of accepts no subscription.", () => {
  const created = stage.stream();
  created.dispose();
  created.dispose();
  expect(subscribed(created).errors).toMatchObject([{ code: "CLOSED" }]);
});

test("iterate() yields results; return() ends it while it waits.", async () => {
  const created = stage.stream();
  const results = created.iterate({ query, variables: { after: "start" } });
  const peer = await stage.server.peer(1);
  const { id } = await peer.operation();
  peer.item(id, item("1"));
  expect((await results.next()).value.data).toEqual({ taskChanged: item("1") });
  const waiting = results.next();
  await results.return!();
  expect(await waiting).toEqual({ done: true, value: undefined });
  await until(() => peer.of("complete").length === 1);
});

test("iterate() throws the error that ends it once.", async () => {
  const results = stage.stream().iterate({ query });
  const peer = await stage.server.peer(1);
  const { id } = await peer.operation();
  peer.send({ type: "error", id, payload: [{ message: "No.", extensions: { code: "FORBIDDEN" } }] });
  await expect(results.next()).rejects.toMatchObject({ code: "FORBIDDEN" });
  expect(await results.next()).toEqual({ done: true, value: undefined });
});

test("Fault 11: a slow consumer of iterate() makes the server wait; nothing is lost.", async () => {
  const results = stage.stream().iterate<{ taskChanged: { cursor: string } }>({ query, variables: { after: "0" } });
  const peer = await stage.server.peer(1);
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

test("Fault 6: a stream belongs to the user of its first subscription, also before it is connected.", async () => {
  const { session } = stage;
  let release = (): void => {};
  const authorize = session.authorize.bind(session);
  session.authorize = async (options) => {
    await new Promise<void>((resolve) => (release = resolve));
    return authorize(options);
  };
  const received = subscribed(stage.stream());
  await settle();
  session.signIn("bob");
  release();
  await until(() => received.errors.length === 1);
  expect(received.errors).toMatchObject([{ code: "USER_CHANGED" }]);
  expect(stage.server.peers).toEqual([]);
});

test("After the stream's end, lists are not read again, however often that has failed.", async () => {
  const onResync = vi.fn().mockRejectedValue(new Error("down"));
  const created = stage.stream({ onResync });
  subscribed(created);
  const peer = await stage.server.peer(1);
  const { id } = await peer.operation();
  peer.item(id, resync("1"));
  await until(() => onResync.mock.calls.length === 1);
  stage.session.signOut();
  await pass(60_000, 5_000);
  expect(onResync).toHaveBeenCalledTimes(1);
});

test("dispose() leaves no timer: Node can end.", async () => {
  const created = stage.stream();
  const received = subscribed(created);
  const peer = await stage.server.peer(1);
  const { id } = await peer.operation();
  peer.send({ type: "error", id, payload: [{ message: "Busy.", extensions: { code: "RATE_LIMITED", retryAfter: 3_600 } }] });
  await settle();
  created.dispose();
  expect(received.completed).toBe(1);
  await until(() => peer.isClosed);
  await settle(); // The package `ws` ends its own timer.
  expect(vi.getTimerCount()).toBe(0);
});

test("A document or variables that cannot be sent are an error of subscribe().", () => {
  const created = stage.stream();
  expect(() => created.subscribe({ query, variables: { after: 1n } }, {} as never)).toThrow(TypeError);
  expect(() => created.subscribe({ query: { kind: "Document" } as never }, {} as never)).toThrow(TypeError);
  expect(created.status.state).toBe("idle");
});

test("Two calls of next() that wait at the same time get two results, in their order.", async () => {
  const results = stage.stream().iterate<{ taskChanged: { cursor: string } }>({ query });
  const both = [results.next(), results.next()];
  const peer = await stage.server.peer(1);
  const { id } = await peer.operation();
  peer.item(id, item("1"));
  await settle();
  peer.item(id, item("2"));
  expect((await Promise.all(both)).map(({ value }) => value.data.taskChanged.cursor)).toEqual(["1", "2"]);
  const rest = [results.next(), results.next()];
  await results.return!();
  expect(await Promise.all(rest)).toEqual(Array(2).fill({ done: true, value: undefined }));
});
