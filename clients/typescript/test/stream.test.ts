import { expect, test, vi } from "vitest";

import { aStage, item, query, resync, subscribed } from "./stage.js";
import { pass, settle, until } from "./until.js";

const stage = aStage();

test("It connects with its first subscription, and delivers each item once, in order, across connections.", async () => {
  const created = stage.stream();
  expect(created.status.state).toBe("idle");
  const received = subscribed(created);
  const first = await stage.server.peer(1);
  const operation = await first.operation();
  expect(first.token).toBe("token-1");
  expect(operation.payload).toEqual({ query, variables: { after: "start" } });
  first.item(operation.id, item("1"));
  first.item(operation.id, item("2"));
  await until(() => received.cursors.length === 2);
  first.close(1012);
  await until(() => created.status.state === "waiting");
  await pass(500);
  const second = await stage.server.peer(2);
  const again = await second.operation();
  expect(again.payload!.variables).toEqual({ after: "2" });
  second.item(again.id, item("2"));
  second.item(again.id, item("3"));
  await until(() => received.cursors.length >= 3);
  expect(received.cursors).toEqual(["1", "2", "3"]);
  expect(created.status).toEqual({ state: "connected", connections: 2, error: null, retryAt: null });
});

test("A ping says where a subscription without items stands; one that an item overtook causes no duplicate.", async () => {
  const created = stage.stream();
  const cursors: string[] = [];
  created.onCursor((cursor) => cursors.push(cursor));
  const received = subscribed(created, null);
  const first = await stage.server.peer(1);
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
  const second = await stage.server.peer(2);
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
  const created = stage.stream({ onResync: ({ reason, cursor }) => (reasons.push([reason, cursor]), "1") });
  const received = subscribed(created);
  const peer = await stage.server.peer(1);
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
  const created = stage.stream();
  subscribed(created);
  const peer = await stage.server.peer(1);
  const { id } = await peer.operation();
  peer.item(id, resync("9", "TRIMMED"));
  expect((await peer.operation(2)).payload!.variables).toEqual({ after: "9" });
});

test("While lists are read again nothing is held in memory: the server waits.", async () => {
  let done = (_: string): void => {};
  const created = stage.stream({ onResync: () => new Promise((resolve) => (done = resolve)) });
  const received = subscribed(created);
  const peer = await stage.server.peer(1);
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
  const created = stage.stream({ onResync });
  subscribed(created), subscribed(created);
  const peer = await stage.server.peer(1);
  const [one, other] = [await peer.operation(1), await peer.operation(2)];
  peer.item(one.id, resync("1"));
  peer.item(other.id, resync("1"));
  await until(() => peer.of("complete").length === 2);
  done("7");
  const again = [await peer.operation(3), await peer.operation(4)];
  expect(again.map(({ payload }) => payload!.variables)).toEqual([{ after: "7" }, { after: "7" }]);
  expect(onResync).toHaveBeenCalledTimes(1);
});

test("Fault 5: an error in a result does not end the stream.", async () => {
  const received = subscribed(stage.stream());
  const peer = await stage.server.peer(1);
  const { id } = await peer.operation();
  const errors = [{ message: "No assignee." }];
  peer.item(id, item("1", { task: null }), { errors });
  peer.send({ type: "next", id, payload: { data: null, errors } });
  peer.item(id, item("2"));
  await until(() => received.results.length === 3);
  expect(received.results.map((result) => result.errors)).toEqual([errors, errors, undefined]);
  expect([received.errors, received.completed]).toEqual([[], 0]);
});

test("Fault 7: onResync that fails is repeated, and nothing is called after the end.", async () => {
  const onResync = vi.fn().mockRejectedValueOnce(new Error("down")).mockRejectedValueOnce(new Error("down")).mockResolvedValue("3");
  const created = stage.stream({ onResync });
  const received = subscribed(created);
  const peer = await stage.server.peer(1);
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
  const created = stage.stream({ onResync: () => new Promise((resolve) => (done = resolve)) });
  const received = subscribed(created);
  const other = subscribed(created);
  const peer = await stage.server.peer(1);
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

test("An operation that cannot be executed ends with its error; others continue.", async () => {
  const created = stage.stream();
  const [wrong, right] = [subscribed(created), subscribed(created)];
  const peer = await stage.server.peer(1);
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
    const created = stage.stream();
    created.subscribe({ query }, { next: () => { throw new Error("in the page"); } });
    const received = subscribed(created);
    const peer = await stage.server.peer(1);
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
