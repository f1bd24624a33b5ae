import { expect, test } from "vitest";

import { aTask } from "./builders";
import { changed, FakeStore, refused } from "./fake_store";

const task = aTask({ title: "Paint the boat" });

test("A deleted task is gone at once, and Undo restores it.", async () => {
  const store = new FakeStore(task);
  store.answers.push(() => ({ deletedTaskId: "t1", userErrors: [] }), changed({ ...task, version: 3 }));
  const work = store.write.remove(task);
  expect(store.tasks.size).toBe(0);
  await work;
  expect(store.said).toEqual([{ kind: "DONE", text: "Deleted “Paint the boat”.", canUndo: true }]);
  await store.write.undo();
  expect(store.asked.map(({ name, input }) => [name, input["id"]])).toEqual([["DeleteTask", "t1"], ["RestoreTask", "t1"]]);
  expect(store.said.at(-1)!.text).toBe("Restored “Paint the boat”.");
  await store.write.undo();
  expect(store.said.at(-1)!.text).toBe("There is no move to undo.");
});

test("A task that is created in a column goes there; two are created one after the other.", async () => {
  const store = new FakeStore();
  for (const id of ["t1", "t2"]) {
    store.answers.push(changed(aTask({ id })), changed(aTask({ id, status: "DONE", version: 2 })));
  }
  const problems = await Promise.all([store.write.createIn("DONE", "One"), store.write.createIn("DONE", "Two")]);
  expect(problems).toEqual([null, null]);
  expect(store.asked.map(({ name }) => name)).toEqual(["CreateTask", "MoveTask", "CreateTask", "MoveTask"]);
  expect([...store.tasks.values()].map(({ status }) => status)).toEqual(["DONE", "DONE"]);
});

test("Labels are shown at once, and taken back when they are refused.", async () => {
  const store = new FakeStore({ ...task, labels: { nodes: [] } });
  store.answers.push(refused("FORBIDDEN", "You may not."));
  const work = store.write.setLabels("t1", ["l1"]);
  expect(store.tasks.get("t1")!.labels).toEqual({ nodes: [{ id: "l1" }] });
  await work;
  expect(store.tasks.get("t1")!.labels).toEqual({ nodes: [] });
  expect(store.said[0]!.text).toBe("The labels of “Paint the boat” are as before: You may not.");
});
