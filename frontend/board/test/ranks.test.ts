import { expect, test } from "vitest";

import { behind, byRank, neighbour, shownRank, spotOf, stepped } from "../src/board/ranks";

const idOf = (...bytes: number[]) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const column = [{ id: "a", rank: "D" }, { id: "b", rank: "M" }, { id: "c", rank: "m" }];
const rankOf = (id: string) => column.find((each) => each.id === id)?.rank;

test("The manual order compares the bytes of ranks: upper case is before lower case.", () => {
  const shuffled = [column[2]!, column[0]!, column[1]!];
  expect(shuffled.sort(byRank).map(({ id }) => id)).toEqual(["a", "b", "c"]);
});

test("Equal ranks are ordered by the bytes of the ids, not by their letters.", () => {
  // As base64url "-" sorts before "A", but its bits are the greater ones.
  const small = { id: idOf(0, 0, 0), rank: "M" }, great = { id: idOf(0xfb, 0xff, 0xff), rank: "M" };
  expect(great.id < small.id).toBe(true);
  expect([great, small].sort(byRank)).toEqual([small, great]);
});

test("A card is shown directly behind the one after which it is placed, also behind one that is still on its way.", () => {
  const rank = shownRank({ after: "a", before: "b" }, rankOf)!;
  expect(rank > "D" && rank < "D0" && rank < "M").toBe(true);
  expect(behind(rank) > rank && behind(rank) < "M").toBe(true);
});

test("A card that is placed first is shown before all others; alone in its column it stays where it is.", () => {
  expect(shownRank({ after: null, before: "a" }, rankOf)).toBe("");
  expect(shownRank({ after: null, before: null }, rankOf)).toBeUndefined();
});

test("A step leads between the neighbours that follow, and not beyond the ends.", () => {
  expect(stepped(column, "b", -1)).toEqual({ after: null, before: "a" });
  expect(stepped(column, "b", 1)).toEqual({ after: "c", before: null });
  expect(stepped(column, "a", 1)).toEqual({ after: "b", before: "c" });
  expect(stepped(column, "a", -1)).toBeNull();
  expect(stepped(column, "c", 1)).toBeNull();
  expect(stepped(column, "unknown", 1)).toBeNull();
});

test("One neighbour is sent to the server.", () => {
  expect(spotOf(column, "b")).toEqual({ after: "a", before: "c" });
  expect(neighbour(spotOf(column, "b"))).toEqual({ after: "a" });
  expect(neighbour({ after: null, before: "c" })).toEqual({ before: "c" });
  expect(neighbour({ after: null, before: null })).toEqual({});
});
