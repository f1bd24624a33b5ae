// Lists are paged by Relay in both directions; test_relay.py makes the data, and starts the server at RELAY_URL.
import assert from "node:assert/strict";
import { test } from "node:test";
import { environmentOf, PaginationFragment } from "./pagination.mjs";
import taskHistory from "./src/__generated__/TaskHistory_task.graphql.js";
import taskHistoryQuery from "./src/__generated__/TaskHistoryQuery.graphql.js";
import taskList from "./src/__generated__/TaskList_query.graphql.js";
import taskListQuery from "./src/__generated__/TaskListQuery.graphql.js";
import userList from "./src/__generated__/UserList_query.graphql.js";
import userListQuery from "./src/__generated__/UserListQuery.graphql.js";

const { RELAY_URL, RELAY_TOKEN, RELAY_TASK } = process.env;
const ORDERS = ["CREATED_ASC", "CREATED_DESC", "DUE_ASC", "DUE_DESC", "PRIORITY_ASC", "PRIORITY_DESC", "UPDATED_ASC", "UPDATED_DESC"];
const MIDDLE = 10;

const environment = () => environmentOf(RELAY_URL, RELAY_TOKEN);

/** The whole list at once, and the cursor of one in its middle. */
async function whole(query, fragment, variables, reference) {
  const all = await PaginationFragment.load(environment(), query, fragment, { first: 100, ...variables }, reference);
  const { edges, pageInfo } = all.connection;
  assert.deepEqual([pageInfo.hasPreviousPage, pageInfo.hasNextPage], [false, false]);
  return { nodes: all.nodes, cursor: edges[MIDDLE].cursor };
}

/** Loads pages in one direction until there are no more. */
async function loadAll(list, direction, count) {
  const more = () => list.connection.pageInfo[direction === "loadNext" ? "hasNextPage" : "hasPreviousPage"];
  assert.equal(more(), true);
  for (let pages = 0; more(); pages++) {
    assert.ok(pages < 20, "the pages come to an end");
    await list[direction](count);
  }
}

/** From a page in the middle to both ends: every node once, in order. */
async function bothWays(query, fragment, variables, reference) {
  const { nodes, cursor } = await whole(query, fragment, variables, reference);
  const forward = { ...variables, first: 3, after: cursor };
  const list = await PaginationFragment.load(environment(), query, fragment, forward, reference);
  assert.deepEqual(list.nodes, nodes.slice(MIDDLE + 1, MIDDLE + 4));
  await loadAll(list, "loadPrevious", 4);
  assert.deepEqual(list.nodes, nodes.slice(0, MIDDLE + 4));
  await loadAll(list, "loadNext", 4);
  assert.deepEqual(list.nodes, nodes);
  assert.deepEqual(list.connection.edges.length, new Set(list.connection.edges.map((edge) => edge.cursor)).size);
  return list;
}

for (const orderBy of ORDERS) {
  test(`tasks in the order ${orderBy}, from the middle to both ends`, async () => {
    const list = await bothWays(taskListQuery, taskList, { orderBy });
    assert.equal(list.connection.totalCount, list.nodes.length);
  });
}

test("users, from the middle to both ends", () => bothWays(userListQuery, userList, {}));

test("a task's history, which pages by the Node interface", async () => {
  const list = await bothWays(taskHistoryQuery, taskHistory, { id: RELAY_TASK }, (data) => data.node.task);
  const { name, variables } = list.environment.sent.at(-1);
  assert.equal(name, "TaskHistoryPaginationQuery");
  assert.equal(variables.id, RELAY_TASK);
  const versions = list.nodes.map((node) => node.version);
  assert.deepEqual(versions, versions.map((_, index) => versions[0] - index));
});

test("a list that begins at its end", async () => {
  const { nodes } = await whole(taskListQuery, taskList, { orderBy: "DUE_ASC" });
  const list = await PaginationFragment.load(environment(), taskListQuery, taskList, { orderBy: "DUE_ASC", last: 5 });
  assert.equal(list.connection.pageInfo.hasNextPage, false);
  await loadAll(list, "loadPrevious", 7);
  assert.deepEqual(list.nodes, nodes);
});

test("a refetch in another order starts a list of its own", async () => {
  const { nodes } = await whole(taskListQuery, taskList, { orderBy: "PRIORITY_DESC" });
  const list = await PaginationFragment.load(environment(), taskListQuery, taskList, { orderBy: "CREATED_ASC", first: 4 });
  await list.loadNext(4);
  await list.refetch({ orderBy: "PRIORITY_DESC", first: 3, after: null });
  assert.deepEqual(list.nodes, nodes.slice(0, 3));
  await loadAll(list, "loadNext", 10);
  assert.deepEqual(list.nodes, nodes);
});

test("a refetch of a node", async () => {
  const reference = (data) => data.node.task;
  const variables = { id: RELAY_TASK, first: 2 };
  const list = await PaginationFragment.load(environment(), taskHistoryQuery, taskHistory, variables, reference);
  await list.refetch({ first: 5 });
  assert.equal(list.nodes.length, 5);
  assert.equal(list.environment.sent.at(-1).name, "TaskHistoryPaginationQuery");
});
