import { expect, test } from "vitest";

import { withPendingChanges } from "../src/board/pending_changes";
import { aTask } from "./builders";

const tasks = new Map([["t1", aTask()]]);

test("Pending changes are applied in their order.", () => {
  const shown = withPendingChanges(tasks, [
    { key: "1", taskId: "t1", patch: { status: "IN_PROGRESS", title: "First" } },
    { key: "2", taskId: "t1", patch: { title: "Second" } },
  ]);
  expect(shown.get("t1")).toMatchObject({ status: "IN_PROGRESS", title: "Second", pending: true });
});

test("Without pending changes a task equals that of the server.", () => {
  withPendingChanges(tasks, [{ key: "1", taskId: "t1", patch: { status: "DONE" } }]);
  expect(withPendingChanges(tasks, []).get("t1")).toEqual(aTask());
});

test("A task that is to be deleted is not shown, and one that is gone does not come back by hoping.", () => {
  expect(withPendingChanges(tasks, [{ key: "1", taskId: "t1", patch: null }]).size).toBe(0);
  expect(withPendingChanges(new Map(), [{ key: "1", taskId: "t1", patch: { title: "Still there?" } }]).size).toBe(0);
});
