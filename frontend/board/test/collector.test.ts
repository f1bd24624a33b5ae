import { expect, test } from "vitest";

import { Collector } from "../src/board/collector";
import { aTask } from "./builders";
import { FakeStore, refused } from "./fake_store";

const open = aTask({ id: "open", title: "Open" });
const other = aTask({ id: "other", title: "Other" });
const cancelled = aTask({ id: "cancelled", title: "Given up", status: "CANCELLED" });
const done = aTask({ id: "done", title: "Done before", status: "DONE" });

function board() {
  const store = new FakeStore(open, other, cancelled, done);
  return { store, collector: new Collector(store.context, store.submit, store.write) };
}

test("Several cards are moved with one request; one that cannot go there stays, and one that is there is not sent.", async () => {
  const { store, collector } = board();
  store.answers.push(() => ({
    userErrors: [],
    results: [open, other].map((task) => ({ taskId: task.id, task: { ...task, status: "DONE", version: 2 }, userErrors: [] })),
  }));
  const work = collector.move(["open", "cancelled", "other", "done"], "DONE");
  expect(["open", "other", "cancelled"].map((id) => store.tasks.get(id)!.status)).toEqual(["DONE", "DONE", "CANCELLED"]);
  await work;
  expect(store.asked).toEqual([{ name: "UpdateTasks", input: { ids: ["open", "other"], status: "DONE" } }]);
  expect(store.said.map(({ text }) => text)).toEqual(["Moved 2 tasks to Done.", "Not moved: “Given up” cannot go to Done."]);
  expect(store.state.board.tasks.get("open")!.version).toBe(2);
});

test("What the server refuses is back in its column, task by task or all at once.", async () => {
  const { store, collector } = board();
  const refusal = { code: "NOT_FOUND", message: "It is not there.", path: [] };
  store.answers.push(() => ({
    userErrors: [],
    results: [
      { taskId: "open", task: { ...open, status: "DONE", version: 2 }, userErrors: [] },
      { taskId: "other", task: null, userErrors: [refusal] },
    ],
  }));
  await collector.move(["open", "other"], "DONE");
  expect(store.tasks.get("other")!.status).toBe("TODO");
  expect(store.said.map(({ text }) => text)).toEqual(["Moved 1 task to Done.", "Not moved: “Other”: It is not there."]);
  store.answers.push(refused("FORBIDDEN", "You may not."));
  await collector.move(["other"], "IN_PROGRESS");
  expect(store.said.at(-1)!.text).toBe("Not moved: “Other”: You may not.");
  expect(store.state.pendingChanges).toEqual([]);
});
