import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { createSession, RequestError, type Session } from "../src/index.js";
import { Api, PASSWORD } from "./api.js";
import { slowChannels } from "./channels.js";
import { fakeLocks } from "./locks.js";
import { settle, until, useVirtualTime } from "./until.js";

let api: Api;
const sessions: Session[] = [];

function session(options = {}): Session {
  const created = createSession({ url: "http://api.test/graphql", fetch: api.fetch, ...options });
  sessions.push(created);
  return created;
}

beforeEach(() => {
  useVirtualTime();
  api = new Api();
});

afterEach(() => {
  for (const each of sessions.splice(0)) each.dispose();
  vi.useRealTimers();
});

test("Nothing is sent and nothing is opened before a session is used.", async () => {
  const channel = vi.fn();
  vi.stubGlobal("BroadcastChannel", channel);
  const created = session();
  await settle();
  expect(api.sent).toEqual([]);
  expect(channel).not.toHaveBeenCalled();
  expect(created.state).toEqual({ status: "unknown", user: null, error: null });
});

test("Signing in and out changes the state; every state is another object.", async () => {
  const states: unknown[] = [];
  const created = session();
  created.subscribe(() => states.push(created.state));
  const user = await created.signIn("alice", PASSWORD);
  expect(user).toEqual({ id: "id-alice", username: "alice", role: "USER" });
  expect((await created.authorize())?.token).toBe("alice-1");
  await created.signOut();
  expect(await created.authorize()).toBeNull();
  expect(states).toEqual([
    { status: "signedIn", user, error: null },
    { status: "signedOut", user: null, error: null },
  ]);
});

test("A refused sign-in throws the server's words.", async () => {
  await expect(session().signIn("alice", "wrong")).rejects.toMatchObject({
    code: "INVALID_CREDENTIALS", message: "Wrong username or password.",
  });
});

test("Any number of callers refresh once, before the token expires and after it was refused.", async () => {
  const created = session();
  await created.signIn("alice", PASSWORD);
  await vi.advanceTimersByTimeAsync(api.life - 30_000);
  await Promise.all(Array.from({ length: 20 }, () => created.authorize()));
  expect(api.refreshes).toBe(1);
  const { token } = (await created.authorize())!;
  const tokens = await Promise.all(Array.from({ length: 20 }, () => created.authorize({ refused: token })));
  expect(api.refreshes).toBe(2);
  expect(new Set(tokens.map((each) => each!.token)).size).toBe(1);
});

test("A page refreshes by itself before its token expires.", async () => {
  const created = session();
  await created.signIn("alice", PASSWORD);
  await vi.advanceTimersByTimeAsync(api.life);
  await settle();
  expect(api.refreshes).toBe(1);
});

test("Tabs refresh once for all of them, also if the message arrives after the lock.", async () => {
  vi.stubGlobal("navigator", { locks: fakeLocks() });
  api.cookie = "alice";
  const tabs = [session(), session(), session()];
  const resumed = tabs.map((tab) => tab.resume());
  const users = Promise.all(resumed);
  for (let step = 0; step < 30; step++) await vi.advanceTimersByTimeAsync(10), await settle(5);
  expect((await users).map((user) => user?.username)).toEqual(["alice", "alice", "alice"]);
  expect(api.refreshes).toBe(1);
});

test.each([10, 600])("Tabs refresh once if messages take %i ms.", async (delay) => {
  vi.stubGlobal("navigator", { locks: fakeLocks() });
  vi.stubGlobal("BroadcastChannel", slowChannels(delay));
  api.cookie = "alice";
  const resumed = Promise.all([session(), session(), session()].map((tab) => tab.resume()));
  await vi.advanceTimersByTimeAsync(5_000);
  expect((await resumed).map((user) => user?.username)).toEqual(["alice", "alice", "alice"]);
  expect(api.refreshes).toBe(1);
});

test("A tab whose predecessor has failed waits for no message longer than a second.", async () => {
  vi.stubGlobal("navigator", { locks: fakeLocks() });
  api.cookie = "alice";
  api.next.push(new TypeError("fetch failed"));
  const failed = expect(session().resume()).rejects.toMatchObject({ code: "NETWORK" });
  const resumed = session().resume();
  await failed;
  await vi.advanceTimersByTimeAsync(1_100);
  expect((await resumed)?.username).toBe("alice");
});

test("A tab that never ends does not block the others.", async () => {
  const locks = fakeLocks();
  vi.stubGlobal("navigator", { locks });
  void locks.request("taskriver:http://api.test/graphql", {}, () => new Promise(() => {}));
  api.cookie = "alice";
  const resumed = session().resume();
  await vi.advanceTimersByTimeAsync(31_000);
  expect((await resumed)?.username).toBe("alice");
});

test("A page that may not use locks works without them, and an error of the work stays its own.", async () => {
  vi.stubGlobal("navigator", { locks: { request: () => Promise.reject(new DOMException("No locks here.", "SecurityError")) } });
  api.cookie = "alice";
  expect((await session().resume())?.username).toBe("alice");
  vi.stubGlobal("navigator", { locks: fakeLocks() });
  api.next.push(new TypeError("fetch failed"));
  await expect(session().resume()).rejects.toMatchObject({ code: "NETWORK" });
});

test("All tabs follow a sign-out and a sign-in.", async () => {
  const [one, other] = [session(), session()];
  await one.signIn("alice", PASSWORD);
  await other.resume();
  await one.signOut();
  await until(() => other.state.status === "signedOut");
  await one.signIn("bob", PASSWORD);
  await until(() => other.state.user?.username === "bob");
});

test("Without Web Locks and BroadcastChannel a page works alone.", async () => {
  vi.stubGlobal("navigator", undefined);
  vi.stubGlobal("BroadcastChannel", undefined);
  api.cookie = "alice";
  expect((await session().resume())?.username).toBe("alice");
});

test("Fault 15: a network failure at the start is not a sign-out, and the page recovers by itself.", async () => {
  api.cookie = "alice";
  api.next.push(new TypeError("fetch failed"));
  const created = session();
  await expect(created.resume()).rejects.toMatchObject({ code: "NETWORK", isTemporary: true });
  expect(created.state).toMatchObject({ status: "unknown", user: null, error: { code: "NETWORK" } });
  await vi.advanceTimersByTimeAsync(5_000);
  await until(() => created.state.status === "signedIn");
  expect(created.state.error).toBeNull();
});

test("A response that never comes ends with TIMEOUT.", async () => {
  api.next.push(() => new Promise(() => {}), () => new Promise(() => {}));
  const resumed = session({ timeout: 5_000 }).resume();
  const failed = expect(resumed).rejects.toMatchObject({ code: "TIMEOUT" });
  await vi.advanceTimersByTimeAsync(10_000);
  await failed;
});

test("A valid token is used while the server cannot refresh it.", async () => {
  const created = session();
  await created.signIn("alice", PASSWORD);
  api.next.push(...Array.from({ length: 50 }, () => new TypeError("fetch failed")));
  await vi.advanceTimersByTimeAsync(api.life - 30_000);
  expect((await created.authorize())?.token).toBe("alice-1");
  await vi.advanceTimersByTimeAsync(31_000);
  await expect(created.authorize()).rejects.toMatchObject({ code: "NETWORK" });
  expect(created.state.status).toBe("signedIn");
});

test("A rate limit holds for all callers until its time has passed.", async () => {
  api.cookie = "alice";
  const limited = { errors: [{ message: "Too many.", extensions: { code: "RATE_LIMITED", retryAfter: 20 } }] };
  api.next.push(limited);
  const created = session();
  for (let call = 0; call < 5; call++) await expect(created.authorize()).rejects.toMatchObject({ code: "RATE_LIMITED", retryAfter: 20 });
  expect(api.sent).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(25_000);
  expect((await created.authorize())?.user?.username).toBe("alice");
});

test("Without cookies the refresh token is kept in the given storage.", async () => {
  const kept: (string | null)[] = [];
  const storage = { get: () => kept.at(-1), set: (token: string | null) => void kept.push(token) };
  const created = session({ credentials: storage });
  await created.signIn("alice", PASSWORD);
  expect(kept).toEqual(["refresh:alice:1"]);
  const next = session({ credentials: storage });
  expect((await next.resume())?.username).toBe("alice");
  await next.signOut();
  expect(kept).toEqual(["refresh:alice:1", "refresh:alice:2", null]);
  expect(await session({ credentials: storage }).resume()).toBeNull();
});

test("A change of the role is another state of the same user.", async () => {
  const created = session();
  await created.signIn("alice", PASSWORD);
  const before = created.state;
  await created.authorize({ refused: "alice-1" });
  expect(created.state).toBe(before);
  api.roles["alice"] = "MODERATOR";
  await created.authorize({ refused: "alice-2" });
  expect(created.state.user).toEqual({ id: "id-alice", username: "alice", role: "MODERATOR" });
});

test("Fault 6: a token is given only for the user of the request.", async () => {
  const created = session();
  await created.signIn("alice", PASSWORD);
  await created.signIn("bob", PASSWORD);
  await expect(created.authorize({ userId: "id-alice" })).rejects.toMatchObject({ code: "USER_CHANGED" });
  await created.signOut();
  await expect(created.authorize({ userId: "id-bob" })).rejects.toMatchObject({ code: "SIGNED_OUT" });
});

test("A machine whose clock is wrong refreshes in time.", async () => {
  const fetch = api.fetch;
  api.fetch = async (...request) => {
    const response = await fetch(...request);
    const hours = 3_600_000 * 5;
    const body = JSON.parse(await response.text());
    body.data.signedIn.expiresAt = new Date(Date.parse(body.data.signedIn.expiresAt) - hours).toISOString();
    return new Response(JSON.stringify(body), { headers: { date: new Date(Date.now() - hours).toUTCString() } });
  };
  const wrong = session();
  await wrong.signIn("alice", PASSWORD);
  await wrong.authorize();
  expect(api.refreshes).toBe(0);
});

test("After dispose() nothing is sent.", async () => {
  const created = session();
  await created.signIn("alice", PASSWORD);
  created.dispose();
  await vi.advanceTimersByTimeAsync(2 * api.life);
  expect(api.refreshes).toBe(0);
  await expect(created.authorize()).rejects.toBeInstanceOf(RequestError);
});

test("dispose() during a refresh: the result is CLOSED, nothing more is sent, and the state stays.", async () => {
  let respond = (_: object): void => {};
  api.next.push(() => new Promise((resolve) => (respond = resolve)));
  const created = session();
  const listener = vi.fn();
  created.subscribe(listener);
  const resumed = expect(created.resume()).rejects.toMatchObject({ code: "CLOSED" });
  await settle();
  created.dispose();
  api.cookie = "alice";
  const { accessToken, expiresAt } = { accessToken: "late", expiresAt: new Date(Date.now() + api.life).toISOString() };
  respond({ data: { signedIn: { accessToken, expiresAt, user: { id: "id-alice", username: "alice", role: "USER" }, userErrors: [] } } });
  await resumed;
  await vi.advanceTimersByTimeAsync(2 * api.life);
  expect(api.sent).toHaveLength(1);
  expect(listener).not.toHaveBeenCalled();
  expect(created.state.status).toBe("unknown");
});

test.each([
  ["without an expiry", () => null],
  ["with an expiry that is past by this machine's clock, and no `Date`", () => new Date(Date.now() - 3_600_000).toISOString()],
])("A token %s is used until it is refused.", async (_, expiry) => {
  const fetch = api.fetch;
  api.fetch = async (...request) => {
    const body = JSON.parse(await (await fetch(...request)).text());
    if (body.data.signedIn) body.data.signedIn.expiresAt = expiry();
    return new Response(JSON.stringify(body));
  };
  const created = session();
  await created.signIn("alice", PASSWORD);
  for (let call = 0; call < 5; call++) expect((await created.authorize())?.token).toBe("alice-1");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(api.refreshes).toBe(0);
  expect((await created.authorize({ refused: "alice-1" }))?.token).toBe("alice-2");
});

test("Without Web Locks, a refresh that is slower than a sign-out in another tab does not sign in again.", async () => {
  vi.stubGlobal("navigator", undefined);
  const [one, other] = [session(), session()];
  await one.signIn("alice", PASSWORD);
  await other.resume();
  let refresh = (): void => {};
  const response = { data: { signedIn: { accessToken: "late", expiresAt: new Date(Date.now() + api.life).toISOString(), user: one.state.user, userErrors: [] } } };
  api.next.push(() => new Promise((resolve) => (refresh = () => resolve(response))));
  const authorized = one.authorize({ refused: (await one.authorize())!.token });
  await settle();
  await other.signOut();
  await until(() => one.state.status === "signedOut");
  refresh();
  expect(await authorized).toBeNull();
  expect([one.state.status, other.state.status]).toEqual(["signedOut", "signedOut"]);
});

test("A refused token that cannot be renewed now is still renewed before it expires.", async () => {
  const created = session();
  await created.signIn("alice", PASSWORD);
  api.next.push(new TypeError("fetch failed"), new TypeError("fetch failed"));
  await expect(created.authorize({ refused: "alice-1" })).rejects.toMatchObject({ code: "NETWORK" });
  const before = api.refreshes;
  await vi.advanceTimersByTimeAsync(api.life);
  expect(api.refreshes).toBeGreaterThan(before);
});

test("A clock that is set back does not lengthen a rate limit.", async () => {
  api.cookie = "alice";
  api.next.push({ errors: [{ message: "Too many.", extensions: { code: "RATE_LIMITED", retryAfter: 20 } }] });
  const created = session();
  await expect(created.resume()).rejects.toMatchObject({ code: "RATE_LIMITED" });
  vi.setSystemTime(Date.now() - 3_600_000);
  await vi.advanceTimersByTimeAsync(25_000);
  expect((await created.resume())?.username).toBe("alice");
});

test("A refresh whose response is lost is sent again while the server still accepts its token.", async () => {
  const times: number[] = [];
  const fetch = api.fetch;
  api.fetch = (...request) => (times.push(Date.now()), fetch(...request));
  api.cookie = "alice";
  api.next.push(() => new Promise(() => {}));
  const resumed = session().resume();
  await vi.advanceTimersByTimeAsync(9_000);
  expect((await resumed)?.username).toBe("alice");
  expect(times).toHaveLength(2);
  expect(times[1]! - times[0]!).toBeLessThan(10_000);
});
