import { expect, test } from "vitest";

import { DraftStorage } from "../src/board/drafts";
import { BLANK } from "../src/board/fields";

/** A tab's storage; *full*: it takes nothing. */
function storage({ full = false } = {}) {
  const items = new Map<string, string>();
  return {
    getItem: (key: string) => items.get(key) ?? null,
    removeItem: (key: string) => void items.delete(key),
    setItem: (key: string, value: string) => {
      if (full) throw new DOMException("Full", "QuotaExceededError");
      items.set(key, value);
    },
  };
}

const draft = { base: BLANK, mine: { ...BLANK, title: "Mine" } };

test("A draft is there after a reload, and says that it was restored.", () => {
  const tab = storage();
  new DraftStorage("ada", tab).write(new Map([["t1", draft]]));
  expect(new DraftStorage("ada", tab).read()).toEqual(new Map([["t1", { ...draft, restored: true }]]));
});

test("Another user of the tab gets none of it.", () => {
  const tab = storage();
  new DraftStorage("ada", tab).write(new Map([["t1", draft]]));
  expect(new DraftStorage("bob", tab).read().size).toBe(0);
  new DraftStorage("bob", tab).write(new Map());
  expect(new DraftStorage("ada", tab).read().size).toBe(1);
});

test("A full storage, and one that holds something else, do no harm.", () => {
  new DraftStorage("ada", storage({ full: true })).write(new Map([["t1", draft]]));
  const tab = storage();
  tab.setItem("taskriver-drafts:ada", "{not JSON");
  expect(new DraftStorage("ada", tab).read().size).toBe(0);
});
