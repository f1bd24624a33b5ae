import { expect, test } from "vitest";

import { STATUSES } from "../src/board/columns";
import { isAllowed, nearest, route, targets } from "../src/board/transitions";

test("Only moves of the table are offered.", () => {
  expect(targets("CANCELLED")).toEqual(["TODO"]);
  expect(isAllowed("DONE", "CANCELLED")).toBe(false);
});

test("A step to the side goes to the nearest column that accepts the task.", () => {
  expect(nearest("TODO", 1)).toBe("IN_PROGRESS");
  expect(nearest("CANCELLED", -1)).toBe("TODO");
  expect(nearest("DONE", 1)).toBeNull();
  expect(nearest("TODO", -1)).toBeNull();
});

test("Every move can be taken back by moves of the table, with one where that is enough.", () => {
  for (const from of STATUSES) {
    for (const to of targets(from)) {
      const back = route(to, from);
      expect(back.at(-1)).toBe(from);
      [to, ...back].reduce((here, next) => (expect(isAllowed(here, next)).toBe(true), next));
    }
  }
  expect(route("CANCELLED", "IN_PROGRESS")).toEqual(["TODO", "IN_PROGRESS"]);
  expect(route("DONE", "TODO")).toEqual(["TODO"]);
  expect(route("DONE", "DONE")).toEqual([]);
});
