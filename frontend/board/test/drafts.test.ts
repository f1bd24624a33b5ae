import { expect, test } from "vitest";

import { DraftStorage } from "../src/board/drafts";
import { BLANK } from "../src/board/fields";
import type { ProjectEdit } from "../src/board/settings";

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

test("What was typed for projects is kept beside the tasks.", () => {
  const tab = storage();
  const edit: ProjectEdit = { base: { name: "Web", key: "WEB", description: "" }, mine: { name: "Shop", key: "WEB", description: "" } };
  new DraftStorage<ProjectEdit>("ada", tab, "project-drafts").write(new Map([["p1", edit]]));
  expect(new DraftStorage<ProjectEdit>("ada", tab, "project-drafts").read().get("p1")).toEqual({ ...edit, restored: true });
  expect(new DraftStorage("ada", tab).read().size).toBe(0);
});

test("A full storage, and one that holds something else, do no harm.", () => {
  new DraftStorage("ada", storage({ full: true })).write(new Map([["t1", draft]]));
  const tab = storage();
  tab.setItem("taskriver-drafts:ada", "{not JSON");
  expect(new DraftStorage("ada", tab).read().size).toBe(0);
});
