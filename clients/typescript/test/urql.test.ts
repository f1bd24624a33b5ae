import { Client, type OperationResult } from "@urql/core";
import { beforeEach, expect, test } from "vitest";
import { pipe, subscribe } from "wonka";

import { taskriverExchange } from "../src/urql.js";
import { failure } from "./api.js";
import { aLibrary } from "./library.js";
import { settle, until } from "./until.js";

const QUERY = "query Tasks { tasks { nodes { id version title } } }";
const MUTATION = "mutation Move($input: MoveInput!) { move(input: $input) { task { id version title } } }";
const SUBSCRIPTION = "subscription Changes($after: String) { taskChanged(after: $after) { __typename cursor taskId task { id version title } } }";

const library = aLibrary();
let client: Client;

beforeEach(() => {
  client = new Client({ url: library.server.url, preferGetMethod: false, exchanges: [taskriverExchange(library)] });
});

function received(variables: object) {
  const results: OperationResult[] = [];
  const { unsubscribe } = pipe(client.subscription(SUBSCRIPTION, variables), subscribe((result) => void results.push(result)));
  return { results, unsubscribe };
}

const task = (version: number, title: string) => ({ id: "1", version, title });
const item = (cursor: string, rest: object = {}) => ({ __typename: "TaskChanged", cursor, taskId: "1", ...rest });

test("Queries and mutations are sent with a token that is renewed once, mutations with a key.", async () => {
  library.api.revoke();
  const query = await client.query(QUERY, {}).toPromise();
  expect(query.data).toEqual({ ok: true });
  await client.mutation(MUTATION, { input: { id: "1" } }).toPromise();
  await client.mutation(MUTATION, { input: { id: "1" } }, { idempotencyKey: "own" } as object).toPromise();
  expect(library.api.operations.map(({ token }) => token)).toEqual(["alice-1", "alice-2", "alice-2", "alice-2"]);
  const keys = library.api.operations.map(({ extensions }) => extensions?.idempotencyKey);
  expect(keys).toEqual([undefined, undefined, expect.stringMatching(/^[0-9a-f]{32}$/), "own"]);
});

test("Errors of a response and of the network are urql's.", async () => {
  library.api.onRequest = () => failure("BAD_REQUEST", "Unknown field.");
  const refused = await client.query(QUERY, {}).toPromise();
  expect(refused.error?.graphQLErrors[0]?.extensions["code"]).toBe("BAD_REQUEST");
  library.api.next.push(new TypeError("fetch failed"));
  const lost = await client.query(QUERY, {}).toPromise();
  expect(lost.error?.networkError).toMatchObject({ code: "NETWORK" });
});

test("Fault 5: an error in one item does not stay in the following ones, and does not end the subscription.", async () => {
  const { results } = received({ after: "0" });
  const peer = await library.server.peer(1);
  const { id, payload } = await peer.operation();
  expect(payload!.variables).toEqual({ after: "0" });
  peer.item(id, item("1", { task: null }), { errors: [{ message: "No assignee." }] });
  peer.item(id, item("2", { task: task(2, "two") }));
  await until(() => results.length === 2);
  expect(results.map(({ error, hasNext }) => [error?.graphQLErrors.length ?? 0, hasNext])).toEqual([[1, true], [0, true]]);
});

test("A late response does not overwrite an event.", async () => {
  const { results } = received({ after: "0" });
  const peer = await library.server.peer(1);
  const { id } = await peer.operation();
  peer.item(id, item("1", { task: task(5, "event") }));
  await until(() => results.length === 1);
  library.api.onRequest = () => ({ data: { move: { task: task(4, "late") } } });
  expect((await client.mutation(MUTATION, {}).toPromise()).data).toEqual({ move: { task: task(5, "event") } });
});

test("A subscription that nobody needs any more is completed; a query is aborted.", async () => {
  const { results, unsubscribe } = received({ after: "0" });
  const peer = await library.server.peer(1);
  await peer.operation();
  unsubscribe();
  await until(() => peer.of("complete").length === 1);
  library.api.next.push(() => new Promise(() => {}));
  const { unsubscribe: leave } = pipe(client.query(QUERY, {}), subscribe((result) => void results.push(result)));
  await until(() => library.api.operations.length === 1);
  leave();
  await settle();
  expect(results).toEqual([]);
});

test("The end of a stream is an error that ends the subscription.", async () => {
  const { results } = received({ after: "0" });
  const peer = await library.server.peer(1);
  await peer.operation();
  await library.session.signOut();
  await until(() => results.length === 1);
  expect(results[0]).toMatchObject({ hasNext: false, error: { networkError: { code: "SIGNED_OUT" } } });
});

test("Fault 15: changes of one task are sent in order, each with the version that the last one made.", async () => {
  const versions: [string, number][] = [];
  library.api.onRequest = async ({ variables }) => {
    const { id, expectedVersion } = variables.input as { id: string; expectedVersion: number };
    versions.push([id, expectedVersion]);
    await settle();
    return { data: { move: { task: { id, version: expectedVersion + 1, title: "moved" } } } };
  };
  const move = (id: string) => client.mutation(MUTATION, { input: { id, expectedVersion: 3 } }).toPromise();
  await Promise.all([move("1"), move("1"), move("2"), move("1")]);
  expect(versions.filter(([id]) => id === "1")).toEqual([["1", 3], ["1", 4], ["1", 5]]);
  expect(versions.filter(([id]) => id === "2")).toEqual([["2", 3]]);
});
