import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { ask, createCache, createIdempotencyKey, createSession, execute, type AskOptions, type Session } from "../src/index.js";
import { Api, failure, PASSWORD } from "./api.js";
import { pass, settle, useVirtualTime } from "./until.js";

let api: Api;
let session: Session;

const query = "query Ok { ok }";
const mutation = "mutation Move($input: MoveInput!) { move(input: $input) { ok } }";

function asked(options: AskOptions = {}): Promise<unknown> {
  return ask(session, { query }, options);
}

beforeEach(async () => {
  useVirtualTime();
  api = new Api();
  session = createSession({ url: "http://api.test/graphql", fetch: api.fetch });
  await session.signIn("alice", PASSWORD);
});

afterEach(() => {
  session.dispose();
  vi.useRealTimers();
});

test("A request resolves to its data, with the user's token.", async () => {
  expect(await asked()).toEqual({ ok: true });
  expect(api.operations).toMatchObject([{ query, token: "alice-1" }]);
});

test("A refused token is renewed once, for any number of requests, and each is repeated once.", async () => {
  api.revoke();
  expect(await Promise.all([asked(), asked(), asked()])).toEqual([{ ok: true }, { ok: true }, { ok: true }]);
  expect(api.refreshes).toBe(1);
  expect(api.operations.map(({ token }) => token)).toEqual([...Array(3).fill("alice-1"), ...Array(3).fill("alice-2")]);
});

test("A token that is refused again is an error.", async () => {
  api.onRequest = () => failure("UNAUTHENTICATED");
  await expect(asked()).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
  expect(api.operations).toHaveLength(2);
});

test("A document of which a part was executed is not repeated with another token.", async () => {
  const errors = [{ message: "Expired.", extensions: { code: "UNAUTHENTICATED" } }];
  api.onRequest = () => ({ data: { first: { ok: true }, second: null }, errors });
  await expect(asked()).rejects.toMatchObject({ code: "UNAUTHENTICATED", data: { first: { ok: true } } });
  expect(api.operations).toHaveLength(1);
});

test("A request whose session has ended is SIGNED_OUT.", async () => {
  api.revoke();
  api.cookie = null;
  await expect(asked()).rejects.toMatchObject({ code: "SIGNED_OUT" });
  expect(session.state.status).toBe("signedOut");
});

test("A response that never comes ends with TIMEOUT.", async () => {
  api.next.push(() => new Promise(() => {}));
  const failed = expect(asked({ timeout: 2_000 })).rejects.toMatchObject({ code: "TIMEOUT", isTemporary: true });
  await pass(2_000);
  await failed;
});

test("A body that never ends is a TIMEOUT, too.", async () => {
  api.next.push(() => new Response(new ReadableStream({ start: (body) => body.enqueue(new TextEncoder().encode("{")) })));
  const failed = expect(asked({ timeout: 2_000 })).rejects.toMatchObject({ code: "TIMEOUT" });
  await settle();
  await pass(2_000);
  await failed;
});

test("The caller can abort a request.", async () => {
  api.next.push(() => new Promise(() => {}));
  const controller = new AbortController();
  const failed = expect(asked({ signal: controller.signal })).rejects.toMatchObject({ code: "ABORTED" });
  await settle();
  controller.abort();
  await failed;
  await expect(asked({ signal: controller.signal })).rejects.toMatchObject({ code: "ABORTED" });
  expect(api.operations).toHaveLength(1);
});

test("A change with an idempotency key is repeated with the same key, after growing pauses.", async () => {
  api.next.push(new TypeError("fetch failed"), failure("UNAVAILABLE"), new Response("Bad gateway", { status: 502 }));
  const changed = ask(session, { query: mutation, variables: { input: { id: "1" } } }, { idempotencyKey: true });
  await pass(600 + 1_200 + 2_400);
  expect(await changed).toEqual({ ok: true });
  const keys = api.operations.map(({ extensions }) => extensions?.idempotencyKey);
  expect(keys).toHaveLength(4);
  expect(new Set(keys).size).toBe(1);
  expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
});

test("A request without a key is not repeated, unless its caller says so.", async () => {
  api.next.push(failure("UNAVAILABLE"), failure("UNAVAILABLE"));
  await expect(asked()).rejects.toMatchObject({ code: "UNAVAILABLE" });
  const repeated = asked({ retries: 1 });
  await pass(1_000);
  expect(await repeated).toEqual({ ok: true });
});

test("retryAfter is obeyed, and not longer than allowed.", async () => {
  api.next.push(failure("RATE_LIMITED", "Too many.", { retryAfter: 12 }));
  const asking = asked({ retries: 3 });
  await pass(11_900);
  expect(api.operations).toHaveLength(1);
  await pass(1_000);
  expect(await asking).toEqual({ ok: true });
  api.next.push(failure("RATE_LIMITED", "Too many.", { retryAfter: 3_600 }));
  await expect(asked({ retries: 3 })).rejects.toMatchObject({ code: "RATE_LIMITED", retryAfter: 3_600 });
});

test("A proxy's Retry-After is obeyed.", async () => {
  api.next.push(new Response("<html>", { status: 503, headers: { "retry-after": "7" } }));
  await expect(asked()).rejects.toMatchObject({ code: "UNAVAILABLE", retryAfter: 7 });
});

test("A partial result is data; only an empty root field is an error.", async () => {
  const errors = [{ message: "No assignee.", path: ["task", "assignee"], extensions: { code: "INTERNAL" } }];
  api.next.push({ data: { task: { assignee: null } }, errors }, { data: { task: null, me: 1 }, errors }, { data: null, errors });
  expect(await asked()).toEqual({ task: { assignee: null } });
  await expect(asked()).rejects.toMatchObject({ code: "INTERNAL", data: { task: null, me: 1 }, errors });
  expect(await execute(session, { query })).toEqual({ data: null, errors });
});

test("Fault 3: an idempotency key needs neither a secure context nor `crypto`.", () => {
  vi.stubGlobal("crypto", { getRandomValues: crypto.getRandomValues.bind(crypto) });
  const keys = Array.from({ length: 1_000 }, createIdempotencyKey);
  vi.stubGlobal("crypto", undefined);
  keys.push(...Array.from({ length: 1_000 }, createIdempotencyKey));
  expect(new Set(keys).size).toBe(2_000);
  expect(keys.every((key) => /^[0-9a-f]{32}$/.test(key))).toBe(true);
});

test("Fault 3: a change is sent where `crypto.randomUUID` does not exist.", async () => {
  vi.stubGlobal("crypto", { getRandomValues: crypto.getRandomValues.bind(crypto) });
  expect(await asked({ idempotencyKey: true })).toEqual({ ok: true });
});

test("Fault 6: a change that is repeated is never sent with the token of another user.", async () => {
  api.next.push(failure("UNAVAILABLE"));
  const changed = ask(session, { query: mutation }, { idempotencyKey: true });
  const failed = expect(changed).rejects.toMatchObject({ code: "SIGNED_OUT" });
  await settle();
  await session.signOut();
  await session.signIn("bob", PASSWORD);
  await pass(60_000);
  await failed;
  expect(api.operations.filter(({ query }) => query === mutation).map(({ token }) => token)).toEqual(["alice-1"]);
});

test("Fault 6: a sign-out ends requests that are under way.", async () => {
  let respond = (_: object): void => {};
  api.next.push(() => new Promise((resolve) => (respond = resolve)));
  const failed = expect(asked()).rejects.toMatchObject({ code: "SIGNED_OUT" });
  await settle();
  await session.signOut();
  await failed;
  respond({ data: { ok: true } });
});

test("Fault 6: the cookie of another user, set by another tab, does not serve a request of this one.", async () => {
  api.revoke();
  api.cookie = "bob";
  await expect(ask(session, { query: mutation }, { idempotencyKey: true })).rejects.toMatchObject({ code: "USER_CHANGED" });
  expect(api.operations.map(({ token }) => token)).toEqual(["alice-1"]);
});

test("A request of an earlier visit names its user.", async () => {
  await expect(asked({ userId: "id-bob" })).rejects.toMatchObject({ code: "USER_CHANGED" });
  expect(api.operations).toEqual([]);
});

test("Without a user a request is sent without a token.", async () => {
  await session.signOut();
  api.sent.length = 0;
  expect(await asked()).toEqual({ ok: true });
  expect(api.operations[0]!.token).toBeNull();
});

test("A request that is finished leaves no listener behind.", async () => {
  const controller = new AbortController();
  const add = vi.spyOn(controller.signal, "addEventListener");
  const remove = vi.spyOn(controller.signal, "removeEventListener");
  await asked({ signal: controller.signal });
  expect(remove.mock.calls.length).toBeGreaterThanOrEqual(add.mock.calls.length);
});

test("Documents are strings, or objects that have a text.", async () => {
  class TypedDocumentString extends String {}
  const documents = [query, new TypedDocumentString(query), { kind: "Document", loc: { source: { body: query } } }];
  for (const document of documents) await ask(session, { query: document as string });
  expect(api.operations.map((sent) => sent.query)).toEqual([query, query, query]);
  await expect(ask(session, { query: { kind: "Document" } as unknown as string })).rejects.toBeInstanceOf(TypeError);
});

test("Variables that are no JSON are the caller's error: nothing is sent, and nothing is repeated.", async () => {
  const variables = { big: 1n };
  await expect(ask(session, { query: mutation, variables }, { idempotencyKey: true })).rejects.toBeInstanceOf(TypeError);
  expect(api.operations).toEqual([]);
});

test.each([undefined, Infinity, 2 ** 40])("A timeout of %s does not end a request at once.", async (timeout) => {
  let respond = (_: object): void => {};
  api.next.push(() => new Promise((resolve) => (respond = resolve)));
  const asking = asked({ timeout });
  await settle();
  await pass(10_000, 5_000);
  respond({ data: { ok: true } });
  expect(await asking).toEqual({ ok: true });
});

test("Timeout and abort hold while a token is awaited, too.", async () => {
  const waiting = { url: "http://api.test/graphql", authorize: () => new Promise<never>(() => {}) };
  const late = expect(ask(waiting, { query }, { timeout: 2_000 })).rejects.toMatchObject({ code: "TIMEOUT" });
  await pass(2_000);
  await late;
  const controller = new AbortController();
  const aborted = expect(ask(waiting, { query }, { signal: controller.signal })).rejects.toMatchObject({ code: "ABORTED" });
  await settle();
  controller.abort();
  await aborted;
});

test.each([
  [200, "<html>Sign in to the hotel's network</html>", "UNAVAILABLE"], [200, "", "UNAVAILABLE"], [204, null, "UNAVAILABLE"],
  [502, "Bad gateway", "UNAVAILABLE"], [408, "", "UNAVAILABLE"], [404, "Not found", "BAD_REQUEST"], [413, "", "BAD_REQUEST"],
  [429, "", "RATE_LIMITED"], [200, "[]", "UNAVAILABLE"], [200, "null", "UNAVAILABLE"],
])("A response of status %s with the body %j is %s.", async (status, body, code) => {
  api.next.push(new Response(body, { status }));
  await expect(asked()).rejects.toMatchObject({ code, isTemporary: code !== "BAD_REQUEST" });
});

test.each([0, -5, "soon", null, 1e300])("A retryAfter of %j causes neither a failure nor a request without a pause.", async (retryAfter) => {
  api.next.push(...Array.from({ length: 3 }, () => failure("UNAVAILABLE", "Busy.", { retryAfter })));
  const asking = asked({ retries: 3 }).catch((error) => error);
  await settle();
  await pass(200, 50);
  expect(api.operations).toHaveLength(1);
  await pass(10_000, 500);
  expect(await asking).toBeDefined();
});

test("What is hidden from one user is not hidden from the next.", async () => {
  const cache = createCache();
  const tasks = { tasks: [{ id: "1", version: 1 }] };
  api.onRequest = () => ({ data: tasks });
  expect(await asked({ cache })).toEqual(tasks);
  cache.writeStream({ taskChanged: { __typename: "TaskGone", taskId: "1", task: null } });
  expect(await asked({ cache })).toEqual({ tasks: [] });
  await session.signIn("bob", PASSWORD);
  expect(await asked({ cache })).toEqual(tasks);
});
