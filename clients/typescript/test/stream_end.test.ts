import { expect, test } from "vitest";

import { type Stream } from "../src/index.js";
import { aStage, item, query, subscribed } from "./stage.js";
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
