import { expect, test } from "vitest";

import { EMPTY, merge } from "../src/board/fold";
import { differences, mend } from "../src/board/lists";
import { inWords } from "../src/board/words";
import { knows } from "../src/stream/catching_up";
import { aTask, cursorAt } from "./builders";

const board = merge(EMPTY, [aTask({ version: 3 }), aTask({ id: "t2" })]);
const newest = (change: object = {}) => ({
  streamCursor: cursorAt(1), totalCount: 2, nodes: [{ id: "t1", version: 3 }], ...change,
});

test("A board is up to date when it has every version that the server had, and as many tasks.", () => {
  expect(knows(board, newest(), false)).toBe(true);
  expect(knows(board, newest({ nodes: [{ id: "t1", version: 4 }] }), false)).toBe(false);
  expect(knows(board, newest({ nodes: [{ id: "t9", version: 1 }] }), false)).toBe(false);
  expect(knows(board, newest({ totalCount: 1 }), false)).toBe(false);
});

test("A board that does not hold all tasks is not counted.", () => {
  expect(knows(board, newest({ totalCount: 9_000 }), true)).toBe(true);
});

test("A comparison finds what lacks, what is older and what is too many, and mending removes all three.", () => {
  const tasks = [aTask({ version: 4 }), aTask({ id: "t3" })];
  const lists = { tasks, cursor: cursorAt(1), partial: false };
  const found = differences(board, lists);
  expect([...found].sort()).toEqual(["t1", "t2", "t3"]);
  expect(differences(mend(board, lists, found), lists).size).toBe(0);
});

test("A comparison with newer tasks on the board finds nothing: it was read before.", () => {
  const lists = { tasks: [aTask({ version: 2 }), aTask({ id: "t2" })], cursor: cursorAt(1), partial: false };
  expect(differences(board, lists).size).toBe(0);
});

test("The actions of a user are described.", () => {
  expect(inWords(["TITLE", "PRIORITY"])).toBe("changed the title and the priority");
  expect(inWords(["STATUS", "TITLE"])).toBe("moved it and changed the title");
  expect(inWords([])).toBe("changed it");
});
