import { expect, test, vi } from "vitest";

import { RequestError } from "../src/index.js";
import { silentServer } from "./socket_server.js";
import { aStage, item, resync, subscribed } from "./stage.js";
import { pass, settle, until } from "./until.js";

const stage = aStage();

test("Fault 2: a failing token does not end the stream, whatever the old socket does.", async () => {
  const created = stage.stream();
  const received = subscribed(created);
  const first = await stage.server.peer(1);
  const { id } = await first.operation();
  first.item(id, item("1"));
  await until(() => received.cursors.length === 1);
  stage.session.failures.push(new TypeError("fetch failed"), new RequestError("UNAVAILABLE", "busy"), new Error("other"));
  first.close(1012);
  for (let passed = 0; passed < 8; passed++) await settle(), await pass(1_000);
  const second = await stage.server.peer(2);
  const again = await second.operation();
  second.item(again.id, item("2"));
  await until(() => received.cursors.length === 2);
  expect(received.errors).toEqual([]);
  expect(stage.session.failures).toEqual([]);
});

test("Fault 2: the late close of an old socket does not reach the next connection.", async () => {
  const created = stage.stream();
  const received = subscribed(created);
  const first = await stage.server.peer(1);
  await first.operation();
  first.socket.pause(); // Its close is acknowledged late.
  created.reconnect();
  await pass(50);
  const second = await stage.server.peer(2);
  const { id } = await second.operation();
  first.socket.resume();
  first.close(4400, "late");
  await settle();
  second.item(id, item("1"));
  await until(() => received.cursors.length === 1);
  expect(received.errors).toEqual([]);
  expect(stage.server.peers).toHaveLength(2);
});

test("Fault 8: a handshake that hangs is ended, and repeated.", async () => {
  const silent = await silentServer();
  try {
    const created = stage.stream({ url: silent.url });
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
  stage.server.acknowledges = false;
  const created = stage.stream();
  subscribed(created);
  const peer = await stage.server.peer(1);
  await until(() => peer.of("connection_init").length === 1);
  await pass(10_000, 1_000);
  expect(created.status).toMatchObject({ state: "waiting", connections: 0 });
});

test("Fault 8: a silent connection is replaced.", async () => {
  const created = stage.stream();
  subscribed(created);
  await (await stage.server.peer(1)).operation();
  await pass(30_000, 5_000);
  expect(created.status.state).toBe("waiting");
  await pass(500);
  await (await stage.server.peer(2)).operation();
});

test("Fault 8: after a sleep a dead connection is noticed within five seconds, and a live one is kept.", async () => {
  const created = stage.stream();
  subscribed(created);
  const first = await stage.server.peer(1);
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
  const created = stage.stream();
  subscribed(created);
  await (await stage.server.peer(1)).operation();
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
  const created = stage.stream({ minDelay: 60_000, maxDelay: 60_000 });
  subscribed(created);
  for (const event of ["online", "pageshow"]) {
    (await stage.server.peer(stage.server.peers.length || 1)).close(1012);
    await until(() => created.status.state === "waiting");
    const before = stage.server.peers.length;
    page.dispatchEvent(new Event(event));
    await stage.server.peer(before + 1);
    await until(() => created.status.state === "connected");
  }
  stage.server.peers.at(-1)!.close(1012);
  await until(() => created.status.state === "waiting");
  document.dispatchEvent(new Event("visibilitychange"));
  expect(created.status.state).toBe("waiting");
  document.visibilityState = "visible";
  stage.session.failures.push(new RequestError("RATE_LIMITED", "Too many.", { retryAfter: 90 }));
  document.dispatchEvent(new Event("visibilitychange"));
  await until(() => created.status.error?.code === "RATE_LIMITED");
  const before = stage.server.peers.length;
  page.dispatchEvent(new Event("online"));
  await settle();
  expect(created.status.state).toBe("waiting");
  expect(stage.server.peers).toHaveLength(before);
});

test("Fault 9: pauses grow although each connection is acknowledged, and start small again after a stable one.", async () => {
  stage.server.onPeer = (peer) => peer.socket.on("message", () => peer.close(1013));
  const created = stage.stream();
  subscribed(created);
  await stage.server.peer(1);
  for (let passed = 0; passed < 50; passed++) await settle(), await pass(100);
  expect(stage.server.peers.length).toBeLessThanOrEqual(6);
  stage.server.onPeer = () => {};
  for (let passed = 0; passed < 16; passed++) await settle(), await pass(1_000);
  await until(() => created.status.state === "connected");
  for (let passed = 0; passed < 6; passed++) {
    stage.server.peers.at(-1)!.send({ type: "ping" });
    await settle(), await pass(2_000);
  }
  stage.server.peers.at(-1)!.close(1012);
  await until(() => created.status.state === "waiting");
  expect(created.status.retryAt! - Date.now()).toBeLessThanOrEqual(500);
});

test("Fault 9: pauses differ between clients.", async () => {
  const pauses = new Set<number>();
  for (let client = 0; client < 5; client++) {
    stage.session.failures.push(new Error("down"));
    const created = stage.stream();
    subscribed(created);
    await until(() => created.status.state === "waiting");
    pauses.add(created.status.retryAt! - Date.now());
  }
  expect(pauses.size).toBeGreaterThan(1);
});

test("Fault 9: retryAfter of a token that is not given is obeyed.", async () => {
  stage.session.failures.push(new RequestError("RATE_LIMITED", "Too many.", { retryAfter: 60 }), new Error("too early"));
  const created = stage.stream();
  subscribed(created);
  await until(() => created.status.state === "waiting");
  await pass(59_000, 1_000);
  expect(stage.session.failures).toHaveLength(1);
  stage.session.failures.length = 0;
  for (let passed = 0; passed < 10; passed++) await settle(), await pass(1_000);
  await until(() => created.status.state === "connected");
});

test("Fault 9: retryAfter of a refused operation is obeyed.", async () => {
  const created = stage.stream();
  const received = subscribed(created);
  const peer = await stage.server.peer(1);
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
  const created = stage.stream();
  const received = subscribed(created);
  const first = await stage.server.peer(1);
  await first.operation();
  first.close(4403, "Forbidden");
  await until(() => created.status.state === "waiting");
  await pass(500);
  const second = await stage.server.peer(2);
  const { id } = await second.operation();
  second.send({ type: "error", id, payload: [{ message: "Expired.", extensions: { code: "UNAUTHENTICATED" } }] });
  await until(() => created.status.state === "waiting");
  await pass(1_000);
  const third = await stage.server.peer(3);
  await third.operation();
  expect([first.token, second.token, third.token]).toEqual(["token-1", "token-2", "token-3"]);
  expect(received.errors).toEqual([]);
});

test("4401 renews the token once; again, it is an error, as other fatal codes are at once.", async () => {
  stage.server.acknowledges = false;
  stage.server.onPeer = (peer) => peer.socket.on("message", () => peer.close(4401, "Not a token"));
  const received = subscribed(stage.stream());
  for (let passed = 0; passed < 4; passed++) await settle(), await pass(500);
  await until(() => received.errors.length === 1);
  expect(received.errors).toMatchObject([{ code: "CONNECTION_REFUSED", closeCode: 4401, message: "Not a token" }]);
  expect(stage.server.peers).toHaveLength(2);
  stage.server.onPeer = (peer) => peer.socket.on("message", () => peer.close(4400));
  const other = subscribed(stage.stream());
  await until(() => other.errors.length === 1);
  expect(stage.server.peers).toHaveLength(3);
});

test("A token that cannot be renewed is an error.", async () => {
  stage.session.renews = false;
  const created = stage.stream();
  const received = subscribed(created);
  (await stage.server.peer(1)).close(4403);
  await until(() => created.status.state === "waiting");
  await pass(500);
  await until(() => received.errors.length === 1);
  expect(received.errors).toMatchObject([{ code: "CONNECTION_REFUSED" }]);
});

test("reconnect() with a delay stays away for so long.", async () => {
  const created = stage.stream();
  subscribed(created);
  await (await stage.server.peer(1)).operation();
  created.reconnect(8_000);
  expect(created.status).toMatchObject({ state: "waiting", retryAt: Date.now() + 8_000 });
  await pass(7_900, 1_000);
  expect(stage.server.peers).toHaveLength(1);
  await pass(200);
  await stage.server.peer(2);
});

test("A list whose cursor is never accepted is read again after growing pauses.", async () => {
  const onResync = vi.fn(async () => "never");
  subscribed(stage.stream({ onResync }));
  const peer = await stage.server.peer(1);
  let answered = 0;
  const sendAll = () => {
    for (const { id } of peer.of("subscribe").slice(answered)) answered++, peer.item(id, item(`${answered}`)), peer.item(id, resync("never"));
  };
  for (let passed = 0; passed < 50; passed++) sendAll(), peer.send({ type: "ping" }), await settle(), await pass(100);
  expect(onResync.mock.calls.length).toBeGreaterThan(1);
  expect(onResync.mock.calls.length).toBeLessThanOrEqual(7);
});

test("Without a WebSocket, or with an address that is none, the subscription ends with an error.", async () => {
  vi.stubGlobal("WebSocket", undefined);
  for (const options of [{ webSocket: undefined as never }, { url: "http://[" }]) {
    const received = subscribed(stage.stream(options));
    await until(() => received.errors.length === 1);
    expect(received.errors).toMatchObject([{ code: "CONNECTION_REFUSED" }]);
  }
});

test("A wait that is longer than a timer can be does not become none.", async () => {
  stage.session.failures.push(new RequestError("RATE_LIMITED", "Later.", { retryAfter: 10 ** 9 }));
  const created = stage.stream();
  subscribed(created);
  await until(() => created.status.state === "waiting");
  await pass(60_000, 20_000);
  expect(created.status.state).toBe("waiting");
});

test("A token that never comes does not hold up the stream.", async () => {
  let calls = 0;
  const { session } = stage;
  const authorize = session.authorize.bind(session);
  session.authorize = (options) => (calls++ ? authorize(options) : new Promise(() => {}));
  const created = stage.stream();
  subscribed(created);
  await pass(10_000, 1_000);
  expect(created.status).toMatchObject({ state: "waiting", error: { code: "TIMEOUT" } });
  await pass(500);
  await (await stage.server.peer(1)).operation();
});

test("Fault 9: another connection does not shorten the pause of a refused operation.", async () => {
  const created = stage.stream();
  subscribed(created);
  const first = await stage.server.peer(1);
  const { id } = await first.operation();
  first.send({ type: "error", id, payload: [{ message: "Busy.", extensions: { code: "RATE_LIMITED", retryAfter: 20 } }] });
  await settle();
  first.close(1012);
  await until(() => created.status.state === "waiting");
  await pass(1_000);
  const second = await stage.server.peer(2);
  await until(() => created.status.state === "connected");
  await settle();
  expect(second.of("subscribe")).toEqual([]);
  await pass(20_000, 1_000);
  await second.operation();
});

test.each(["soon", -5, null])("A retryAfter of %j does not make it connect without a pause.", async (retryAfter) => {
  stage.session.failures.push(new RequestError("UNAVAILABLE", "Busy.", { retryAfter: retryAfter as number }));
  const created = stage.stream();
  subscribed(created);
  await until(() => created.status.state === "waiting");
  expect(created.status.retryAt! - Date.now()).toBeGreaterThanOrEqual(250);
});

test("Options that are undefined have their defaults, and Infinity is no limit.", async () => {
  const created = stage.stream({ minDelay: undefined, handshakeTimeout: Infinity, silenceTimeout: Infinity, idleTimeout: Infinity });
  const received = subscribed(created);
  const peer = await stage.server.peer(1);
  await peer.operation();
  received.stop();
  await pass(60_000, 10_000);
  expect(created.status.state).toBe("connected");
  peer.close(1012);
  await until(() => created.status.state === "waiting");
  expect(created.status.retryAt! - Date.now()).toBeGreaterThanOrEqual(250);
});

test("A second acknowledgement and messages of unknown types are ignored; what is no message ends the stream.", async () => {
  const created = stage.stream();
  const received = subscribed(created);
  const peer = await stage.server.peer(1);
  const { id } = await peer.operation();
  peer.send({ type: "connection_ack" });
  peer.send({ type: "weather", id });
  peer.send({ id });
  peer.item(id, item("1"));
  await until(() => received.cursors.length === 1);
  expect(created.status.connections).toBe(1);
  expect(peer.of("subscribe")).toHaveLength(1);
  peer.send({ type: "next", id, payload: null });
  await until(() => received.errors.length === 1);
  expect(received.errors).toMatchObject([{ code: "CONNECTION_REFUSED", closeCode: 4400 }]);
});
