import { expect, test } from "vitest";

import { extended, kept, NOTHING, toggled } from "../src/board/selection";

const column = ["a", "b", "c", "d"];
const ids = (selection: typeof NOTHING) => [...selection.ids].sort().join("");

test("A card is selected, and deselected again.", () => {
  const one = toggled(NOTHING, "a");
  expect(ids(one)).toBe("a");
  expect(ids(toggled(one, "b"))).toBe("ab");
  expect(ids(toggled(one, "a"))).toBe("");
});

test("A range goes from the card that was selected last to this one, up or down.", () => {
  expect(ids(extended(toggled(NOTHING, "b"), "d", column))).toBe("bcd");
  expect(ids(extended(toggled(NOTHING, "c"), "a", column))).toBe("abc");
});

test("Without a beginning in the same column only the card itself is added.", () => {
  expect(ids(extended(NOTHING, "c", column))).toBe("c");
  expect(ids(extended(toggled(NOTHING, "elsewhere"), "c", column))).toBe("celsewhere");
});

test("Cards that are no longer there are no longer selected.", () => {
  const two = toggled(toggled(NOTHING, "a"), "b");
  expect(ids(kept(two, (id) => id === "a"))).toBe("a");
  expect(kept(two, () => true)).toBe(two);
});
