import { beforeEach, expect, test, vi } from "vitest";

import { createCache, type Cache } from "../src/index.js";

let cache: Cache;

function task<T extends object>(id: string, version: number, rest?: T) {
  return { __typename: "Task", id, version, ...(rest as T) };
}
const list = (...nodes: object[]) => ({ tasks: { nodes, pageInfo: { hasNextPage: false } } });
const item = (__typename: string, taskId: string, rest: object = {}) => ({ taskChanged: { __typename, taskId, task: null, ...rest } });

beforeEach(() => {
  cache = createCache();
});

test("The newer version of a field wins, whatever arrives later.", () => {
  cache.write(list(task("1", 3, { title: "new", status: "DONE" })));
  const late = cache.write(list(task("1", 2, { title: "old", status: "TODO" }), task("2", 1, { title: "other" })));
  expect(late).toEqual(list(task("1", 3, { title: "new", status: "DONE" }), task("2", 1, { title: "other" })));
  expect(cache.write({ task: task("1", 4, { title: "newer" }) }).task).toEqual(task("1", 4, { title: "newer" }));
});

test("Fault 13: selections with different fields are merged field by field; a result keeps its own selection.", () => {
  cache.write({ task: task("1", 3, { title: "three", status: "DONE" }) });
  const late = cache.write({ task: task("1", 2, { title: "two", description: "of version 2" }) });
  expect(late.task).toEqual(task("1", 3, { title: "three", description: "of version 2" }));
  expect(cache.read("1")).toEqual(task("1", 3, { title: "three", status: "DONE", description: "of version 2" }));
  cache.write({ task: task("1", 4, { description: "of version 4" }) });
  expect(cache.write({ task: task("1", 3, { title: "three", description: "late" }) }).task).toEqual(
    task("1", 4, { title: "three", description: "of version 4" }),
  );
});

test("A field that is known with another selection is not mixed with it.", () => {
  cache.write({ task: task("1", 3, { assignee: { id: "bob", username: "bob" } }) });
  const late = { task: task("1", 2, { assignee: { id: "ann", username: "ann", email: "ann@test" } }) };
  expect(cache.write(late).task.assignee).toEqual({ id: "ann", username: "ann", email: "ann@test" });
  expect(cache.write({ task: task("1", 2, { assignee: { id: "ann" } }) }).task.assignee).toEqual({ id: "bob" });
  expect(cache.write({ task: task("1", 2, { assignee: null }) }).task.assignee).toEqual({ id: "bob", username: "bob" });
  cache.write({ task: task("1", 4, { assignee: null }) });
  expect(cache.write(late).task.assignee).toBeNull();
});

test("Pages of lists inside an object are those of the response.", () => {
  const history = (...entries: { at: number }[]) => ({ history: { nodes: entries } });
  cache.write({ task: task("1", 3, history({ at: 1 }, { at: 2 })) });
  expect(cache.write({ task: task("1", 2, history({ at: 1 })) }).task.history.nodes).toEqual([{ at: 1 }]);
});

test("Two selections of the same version add up.", () => {
  cache.write({ task: task("1", 3, { owner: { id: "a", username: "ann" } }) });
  cache.write({ task: task("1", 3, { owner: { id: "a", role: "USER" } }) });
  expect(cache.read("1")!["owner"]).toEqual({ id: "a", username: "ann", role: "USER" });
});

test("Fault 12: a page that was read before a deletion does not bring the deleted task back.", () => {
  const page = { tasks: { edges: [{ cursor: "a", node: task("1", 1) }, { cursor: "b", node: task("2", 1) }], nodes: [task("1", 1)] } };
  cache.writeStream(item("TaskDeleted", "1"));
  expect(cache.write(page)).toEqual({ tasks: { edges: [{ cursor: "b", node: task("2", 1) }], nodes: [] } });
  expect(cache.write({ task: task("1", 9) })).toEqual({ task: null });
  expect(cache.read("1")).toBeUndefined();
});

test("Fault 12: the response of a deletion counts, too.", () => {
  cache.write(list(task("1", 1)));
  cache.write({ deleteTask: { deletedTaskId: "1", userErrors: [] } });
  expect(cache.write(list(task("1", 1)))).toEqual(list());
  expect(cache.write({ deleteTask: { deletedTaskId: null } })).toEqual({ deleteTask: { deletedTaskId: null } });
});

test("Fault 5: only the type of an item removes an object, not a task that is missing because of an error.", () => {
  cache.write(list(task("1", 1, { title: "kept" })));
  for (const type of ["TaskChanged", "TaskStatusChanged", "OfANewerServer"]) cache.writeStream(item(type, "1"));
  expect(cache.read("1")).toEqual(task("1", 1, { title: "kept" }));
  cache.writeStream(item("TaskGone", "1"));
  expect(cache.read("1")).toBeUndefined();
});

test("A task that was hidden comes back with the stream, and not with a late response; a deleted one never.", () => {
  cache.writeStream(item("TaskGone", "1"));
  expect(cache.write(list(task("1", 5)))).toEqual(list());
  const back = item("TaskChanged", "1", { task: task("1", 6) });
  expect(cache.writeStream(back)).toEqual(back);
  expect(cache.write(list(task("1", 5)))).toEqual(list(task("1", 6)));
  cache.writeStream(item("TaskDeleted", "1"));
  expect(cache.writeStream(item("TaskChanged", "1", { task: task("1", 6) }))).toEqual(item("TaskChanged", "1"));
});

test("After a reset smaller versions are new, and responses from before it overwrite nothing.", () => {
  cache.write(list(task("1", 50, { title: "lost history" }), task("2", 7)));
  cache.writeStream(item("TaskDeleted", "3"));
  const before = cache.generation;
  cache.reset();
  expect(cache.write(list(task("1", 3, { title: "restored" }), task("3", 1)))).toEqual(
    list(task("1", 3, { title: "restored" }), task("3", 1)),
  );
  expect(cache.write(list(task("1", 50, { title: "lost history" }), task("2", 7)), before)).toEqual(
    list(task("1", 3, { title: "restored" })),
  );
  expect(cache.read("2")).toBeUndefined();
  expect(cache.write({ createTask: { task: task("9", 1) } }, before)).toEqual({ createTask: { task: task("9", 1) } });
});

test("Listeners are called with the ids that changed, once per response; one that leaves is not called.", () => {
  const calls: unknown[] = [];
  const stop = cache.subscribe((ids) => calls.push(ids && [...ids]));
  cache.write(list(task("1", 1), task("2", 1)));
  cache.write(list(task("1", 1), task("2", 2)));
  cache.write(list(task("1", 1)));
  cache.writeStream(item("TaskDeleted", "2"));
  cache.reset();
  stop();
  cache.write(list(task("1", 1)));
  expect(calls).toEqual([["1", "2"], ["2"], ["2"], null]);
});

test("An object is the same until one of its fields changes.", () => {
  cache.write({ task: task("1", 1, { title: "a" }) });
  const read = cache.read("1");
  cache.write({ task: task("1", 1, { title: "a" }) });
  expect(cache.read("1")).toBe(read);
});

test("Data without versions pass through, and the given data are not changed.", () => {
  const data = Object.freeze({ me: Object.freeze({ id: "u", username: "ann" }), count: 3, none: null, list: Object.freeze([1, [2]]) });
  expect(cache.write(data)).toEqual(data);
  expect(cache.write(null)).toBeNull();
  expect(cache.size).toBe(0);
});

test("Fault 11: what is remembered is bounded; the least recently written is forgotten first.", () => {
  const small = createCache({ maxEntities: 3, maxDeleted: 2 });
  small.write(list(task("1", 1), task("2", 1), task("3", 1)));
  small.write(list(task("1", 1)));
  small.write(list(task("4", 1)));
  expect([small.size, small.read("2"), small.read("1")?.version]).toEqual([3, undefined, 1]);
  for (const id of ["a", "b", "c"]) small.delete(id);
  expect(["a", "b", "c"].map((id) => small.isDeleted(id))).toEqual([false, true, true]);
});

test("Fault 11: 200,000 events do not copy what is remembered.", () => {
  const copied = vi.spyOn(Map.prototype, "forEach");
  const iterated = vi.spyOn(Map.prototype, Symbol.iterator);
  for (let event = 0; event < 200_000; event++) {
    const id = `t${event % 30_000}`;
    const change = task(id, event, { title: `title ${event}` });
    cache.writeStream(event % 3 ? item("TaskChanged", id, { task: change }) : item("TaskGone", id));
  }
  expect(cache.size).toBeLessThanOrEqual(10_000);
  expect([copied.mock.calls.length, iterated.mock.calls.length]).toEqual([0, 0]);
});
