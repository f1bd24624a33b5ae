import { expect, test } from "vitest";

import { EVERYTHING, topLevel } from "../src/board/columns";
import { progressOf, subtasksOf } from "../src/board/subtasks";
import { aTask } from "./builders";

const tasks = [
  aTask({ id: "t1" }),
  aTask({ id: "s2", parent: { id: "t1" }, rank: "b" }),
  aTask({ id: "s1", parent: { id: "t1" }, rank: "a", status: "DONE" }),
  aTask({ id: "s3", parent: { id: "t2" }, status: "CANCELLED" }),
];

test("The progress of a task counts its subtasks, and those that are done.", () => {
  const progress = progressOf(tasks);
  expect(progress.get("t1")).toEqual({ done: 1, all: 2 });
  expect(progress.get("t2")).toEqual({ done: 0, all: 1 });
  expect(progress.has("s1")).toBe(false);
});

test("Subtasks are in their manual order.", () => {
  expect(subtasksOf(tasks, "t1").map(({ id }) => id)).toEqual(["s1", "s2"]);
});

test("The columns show tasks that are no subtasks; a filter finds subtasks, too.", () => {
  expect([...topLevel(tasks, EVERYTHING)].map(({ id }) => id)).toEqual(["t1"]);
  expect([...topLevel(tasks, { ...EVERYTHING, search: "boat" })]).toHaveLength(4);
});
