import { expect, test } from "vitest";

import { asked, columns, EVERYTHING, isFiltered, type Wanted } from "../src/board/columns";
import { aTask } from "./builders";

const me = { id: "u1", username: "ada" };
const bob = { id: "u2", username: "bob" };
const tasks = [
  aTask({ id: "a", title: "Paint the BOAT", updatedAt: "2026-01-01T00:00:01Z", priority: "LOW", assignee: bob }),
  aTask({ id: "b", description: "the boat again", updatedAt: "2026-01-01T00:00:03Z", owner: bob, assignee: me }),
  aTask({ id: "c", title: "Sail", updatedAt: "2026-01-01T00:00:02Z", priority: "URGENT", dueAt: "2026-02-01T00:00:00Z" }),
  aTask({ id: "d", title: "Sink", status: "CANCELLED" }),
];
const todo = (wanted: Partial<Wanted>) =>
  columns(tasks, { ...EVERYTHING, ...wanted }, me.id).TODO.map(({ id }) => id).join("");

test("Each task is in the column of its status, the last changed first.", () => {
  expect(todo({})).toBe("bca");
  expect(columns(tasks, EVERYTHING, me.id).CANCELLED.map(({ id }) => id)).toEqual(["d"]);
});

test("Search looks in titles and descriptions, and knows no upper and lower case.", () => {
  expect(todo({ search: " boat " })).toBe("ba");
});

test("Filters by priority, owner and assignee leave out the others.", () => {
  expect(todo({ priority: "URGENT" })).toBe("c");
  expect(todo({ whose: "OWNED" })).toBe("ca");
  expect(todo({ whose: "ASSIGNED" })).toBe("b");
  expect(todo({ whose: "UNASSIGNED" })).toBe("c");
  expect(isFiltered(EVERYTHING)).toBe(false);
  expect(isFiltered({ ...EVERYTHING, whose: "OWNED" })).toBe(true);
});

test("Orders put the most urgent, the next due or the newest first; without a date is last.", () => {
  expect(todo({ order: "PRIORITY" })).toBe("cba");
  expect(todo({ order: "DUE" })).toMatch(/^c/);
});

test("What is on its way stands first among the last changed.", () => {
  const shown = tasks.map((task) => (task.id === "a" ? { ...task, pending: true } : task));
  expect(columns(shown, EVERYTHING, me.id).TODO[0]!.id).toBe("a");
});

test("What the server can look for is asked of it; short words and \"not assigned\" are not.", () => {
  expect(asked({ ...EVERYTHING, search: " boat ", priority: "HIGH", whose: "ASSIGNED" }, "u1")).toEqual({
    search: "boat", priority: ["HIGH"], assigneeId: "u1",
  });
  expect(asked({ ...EVERYTHING, whose: "OWNED" }, "u1")).toEqual({ ownerId: "u1" });
  expect(asked({ ...EVERYTHING, search: "bo", whose: "UNASSIGNED" }, "u1")).toBeNull();
});

test("The manual order of a project goes by rank.", () => {
  const ranked = ["c", "a", "b"].map((id) => aTask({ id, rank: id }));
  expect(columns(ranked, { ...EVERYTHING, order: "RANK" }, me.id).TODO.map(({ id }) => id).join("")).toBe("abc");
});

test("A filter by label leaves out the tasks without it, and is asked of the server, too.", () => {
  const labelled = aTask({ id: "l", labels: { nodes: [{ id: "l1" }, { id: "l2" }] } });
  const found = columns([labelled, ...tasks], { ...EVERYTHING, label: "l2" }, me.id);
  expect(found.TODO.map(({ id }) => id)).toEqual(["l"]);
  expect(isFiltered({ ...EVERYTHING, label: "l2" })).toBe(true);
  expect(asked({ ...EVERYTHING, label: "l2" }, me.id)).toEqual({ labelIds: ["l2"] });
});
