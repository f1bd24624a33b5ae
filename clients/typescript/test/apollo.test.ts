import { ApolloClient, gql, InMemoryCache } from "@apollo/client";
import { buildSchema, getNamedType, isObjectType } from "graphql";
import { readFileSync } from "node:fs";
import { beforeEach, expect, test, vi } from "vitest";

import { createLink, typePolicies } from "../src/apollo.js";
import { failure } from "./api.js";
import { aLibrary } from "./library.js";
import { until } from "./until.js";

const TASKS = gql`query Tasks($filter: TaskFilter, $orderBy: TaskOrder, $after: String) {
  tasks(filter: $filter, orderBy: $orderBy, after: $after) {
    streamCursor edges { cursor node { id version title } } pageInfo { hasNextPage endCursor }
  }
}`;
const NODES = gql`query Nodes($after: String) { tasks(after: $after) { nodes { id title } pageInfo { hasNextPage endCursor } } }`;
const BY_KEY = gql`query ByKey($key: String!) { taskByKey(key: $key) { id version key number project { id key name viewerRole } } }`;
const MOVE = gql`mutation Move { move { task { id version title } } }`;
const CHANGES = gql`subscription Changes($after: String) { taskChanged(after: $after) { __typename cursor taskId task { id version title } } }`;

const library = aLibrary();
let client: ApolloClient;

beforeEach(() => {
  client = new ApolloClient({ link: createLink(library), cache: new InMemoryCache({ typePolicies }) });
});

const task = (id: string, version = 1, title = `Task ${id}`) => ({ __typename: "Task", id, version, title });

function page(ids: string[], hasNextPage: boolean) {
  const edges = ids.map((id) => ({ __typename: "TaskEdge", cursor: `c${id}`, node: task(id) }));
  const pageInfo = { __typename: "PageInfo", hasNextPage, endCursor: `c${ids.at(-1)}` };
  return { data: { tasks: { __typename: "TaskConnection", streamCursor: `s${ids[0]}`, edges, nodes: ids.map((id) => task(id)), pageInfo } } };
}

/** The ids in the cache. */
function listed(variables = {}): string[] | undefined {
  const data = client.readQuery<{ tasks: { edges: { node: { id: string } }[] } }>({ query: TASKS, variables });
  return data?.tasks.edges.map(({ node }) => node.id);
}

test("Requests are sent with a token that is renewed once, mutations with an idempotency key.", async () => {
  library.api.revoke();
  library.api.onRequest = ({ query }) => (query.includes("Move") ? { data: { move: { __typename: "P", task: task("1") } } } : page(["1"], false));
  await client.query({ query: TASKS });
  await client.mutate({ mutation: MOVE });
  expect(library.api.operations.map(({ token }) => token)).toEqual(["alice-1", "alice-2", "alice-2"]);
  expect(library.api.operations.map(({ extensions }) => extensions?.idempotencyKey)).toEqual([undefined, undefined, expect.any(String)]);
});

test("Errors reach the caller.", async () => {
  library.api.onRequest = () => failure("BAD_REQUEST", "Unknown field.");
  await expect(client.query({ query: TASKS })).rejects.toThrow("Unknown field.");
  library.api.next.push(new TypeError("fetch failed"));
  await expect(client.query({ query: TASKS })).rejects.toMatchObject({ code: "NETWORK" });
});

test("Fault 15: each filter and each order has a list of its own.", async () => {
  library.api.next.push(page(["1", "2"], false), page(["3"], false), page(["2", "1"], false));
  await client.query({ query: TASKS, variables: { filter: { status: ["TODO"] } } });
  await client.query({ query: TASKS, variables: { filter: { status: ["DONE"] } } });
  await client.query({ query: TASKS, variables: { filter: { status: ["TODO"] }, orderBy: "UPDATED_DESC" } });
  expect(listed({ filter: { status: ["TODO"] } })).toEqual(["1", "2"]);
  expect(listed({ filter: { status: ["DONE"] } })).toEqual(["3"]);
  expect(listed({ filter: { status: ["TODO"] }, orderBy: "UPDATED_DESC" })).toEqual(["2", "1"]);
});

test("Each project has its own list. A new page is added to the list of its project.", async () => {
  const [web, app] = [{ filter: { projectId: "WEB" } }, { filter: { projectId: "APP" } }];
  library.api.next.push(page(["1", "2"], true), page(["9"], false), page(["3"], false), page(["1", "9"], false));
  await client.query({ query: TASKS, variables: web });
  await client.query({ query: TASKS, variables: app });
  await client.query({ query: TASKS, variables: { ...web, after: "c2" }, fetchPolicy: "network-only" });
  await client.query({ query: TASKS });
  expect(listed(web)).toEqual(["1", "2", "3"]);
  expect(listed(app)).toEqual(["9"]);
  expect(listed()).toEqual(["1", "9"]);
});

test("Selections of a task and of its project, by its id and by its key, are one object each, without a warning.", async () => {
  const warnings = ["warn", "error"].map((level) => vi.spyOn(console, level as "warn").mockImplementation(() => {}));
  const web = { __typename: "Project", id: "WEB", key: "WEB" };
  const found = { ...task("1"), key: "WEB-1", number: 1 };
  library.api.next.push(
    { data: { tasks: { __typename: "TaskConnection", nodes: [{ ...found, project: web }] } } },
    { data: { taskByKey: { ...found, project: { ...web, name: "Web site", viewerRole: "MEMBER" } } } },
    { data: { taskByKey: { ...task("2"), key: "WEB-2", number: 2, project: null } } },
  );
  await client.query({ query: gql`query Keys { tasks { nodes { id version key number project { id key } } } }` });
  await client.query({ query: BY_KEY, variables: { key: "WEB-1" } });
  await client.query({ query: BY_KEY, variables: { key: "WEB-2" } });
  const { "Project:WEB": project, "Task:1": first, "Task:2": second } = client.extract() as Record<string, Record<string, unknown>>;
  expect(project).toEqual({ ...web, name: "Web site", viewerRole: "MEMBER" });
  expect([first!["project"], second!["project"]]).toEqual([{ __ref: "Project:WEB" }, null]);
  expect(client.readQuery<{ taskByKey: { id: string } }>({ query: BY_KEY, variables: { key: "WEB-1" } })!.taskByKey.id).toBe("1");
  expect(warnings.map(({ mock }) => mock.calls)).toEqual([[], []]);
  warnings.forEach((spy) => spy.mockRestore());
});

const repository = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");

/** The connections of the schema, such as `Query.tasks`, with the arguments that make another list of them. */
function connections(): Record<string, string[]> {
  const types = Object.values(buildSchema(repository("schema.graphql")).getTypeMap()).filter(isObjectType);
  const fields = types.flatMap((type) => Object.values(type.getFields()).map((field) => ({ name: `${type.name}.${field.name}`, field })));
  const found = fields.filter(({ field }) => getNamedType(field.type).name.endsWith("Connection"));
  const isKey = (name: string) => !["first", "last", "after", "before"].includes(name);
  return Object.fromEntries(found.map(({ name, field }) => [name, field.args.map((arg) => arg.name).filter(isKey)]));
}

test("Fault 15: the policies have every list of the schema, with all arguments that make another list.", () => {
  const entries = Object.entries(typePolicies).filter(([type]) => type !== "Subscription");
  const policies = entries.flatMap(([type, { fields = {} }]) => Object.entries(fields).map(([name, policy]) => {
    const { keyArgs } = policy as { keyArgs: string[] | false };
    return [`${type}.${name}`, keyArgs || []];
  }));
  expect(Object.fromEntries(policies)).toEqual(connections());
});

test("Fault 15: the page for front ends names these arguments for your own policies.", () => {
  const policies = [...repository("docs/frontend.md").matchAll(/(\w+): relayStylePagination\((.*?)\)/g)];
  expect(policies.map(([, field, args]) => [`Query.${field}`, JSON.parse(args || "[]")])).toEqual([["Query.tasks", connections()["Query.tasks"]]]);
});

test("Pages are added where they continue the list; the cursor of the stream stays that of the first one.", async () => {
  library.api.next.push(page(["1", "2"], true), page(["3", "4"], false));
  await client.query({ query: TASKS });
  await client.query({ query: TASKS, variables: { after: "c2" }, fetchPolicy: "network-only" });
  expect(listed()).toEqual(["1", "2", "3", "4"]);
  const { tasks } = client.readQuery<{ tasks: { streamCursor: string; pageInfo: object } }>({ query: TASKS })!;
  expect(tasks.streamCursor).toBe("s1");
  expect(tasks.pageInfo).toMatchObject({ hasNextPage: false, endCursor: "c4" });
});

test("Fault 14: a page that arrives twice, or after the list was read again, is not added.", async () => {
  const network = { query: TASKS, fetchPolicy: "network-only" as const };
  library.api.next.push(page(["1", "2"], true), page(["3"], true), page(["3"], true), page(["5", "1"], true), page(["4"], true));
  await client.query(network);
  await client.query({ ...network, variables: { after: "c2" } });
  await client.query({ ...network, variables: { after: "c2" } });
  expect(listed()).toEqual(["1", "2", "3"]);
  await client.query(network);
  await client.query({ ...network, variables: { after: "c3" } });
  expect(listed()).toEqual(["5", "1"]);
});

test("A task that has moved to a later page is listed once; lists can select `nodes`.", async () => {
  library.api.next.push(page(["1", "2"], true), page(["2", "3"], false));
  await client.query({ query: NODES });
  await client.query({ query: NODES, variables: { after: "c2" }, fetchPolicy: "network-only" });
  const { tasks } = client.readQuery<{ tasks: { nodes: { id: string }[] } }>({ query: NODES })!;
  expect(tasks.nodes.map(({ id }) => id)).toEqual(["1", "2", "3"]);
});

test("Items update the cache; deleted tasks leave it, and late responses do not bring them back.", async () => {
  library.api.next.push(page(["1", "2"], false));
  await client.query({ query: TASKS });
  const items: unknown[] = [];
  const subscription = client.subscribe({ query: CHANGES, variables: { after: "s1" } }).subscribe(({ data }) => items.push(data));
  const peer = await library.server.peer(1);
  const { id } = await peer.operation();
  peer.item(id, { __typename: "TaskChanged", cursor: "1", taskId: "1", task: task("1", 5, "event") });
  peer.item(id, { __typename: "TaskDeleted", cursor: "2", taskId: "2", task: null });
  await until(() => items.length === 2);
  expect(listed()).toEqual(["1"]);
  library.api.next.push({ data: { move: { __typename: "P", task: task("1", 4, "late") } } }, page(["1", "2"], false));
  await client.mutate({ mutation: MOVE });
  expect(client.readQuery<{ tasks: { edges: { node: { title: string } }[] } }>({ query: TASKS })!.tasks.edges[0]!.node.title).toBe("event");
  await client.query({ query: TASKS, fetchPolicy: "network-only" });
  expect(listed()).toEqual(["1"]);
  subscription.unsubscribe();
  await until(() => peer.of("complete").length === 1);
});

test("Fault 5: an error in an item does not end the subscription.", async () => {
  const results: unknown[] = [];
  client.subscribe({ query: CHANGES, errorPolicy: "all" }).subscribe(({ data, error }) => results.push([!!data, !!error]));
  const peer = await library.server.peer(1);
  const { id } = await peer.operation();
  peer.item(id, { __typename: "TaskChanged", cursor: "1", taskId: "1", task: null }, { errors: [{ message: "No assignee." }] });
  peer.item(id, { __typename: "TaskChanged", cursor: "2", taskId: "1", task: task("1") });
  await until(() => results.length === 2);
  expect(results).toEqual([[true, true], [true, false]]);
});
