import { describe, expect, test } from "vitest";

import { EMPTY, fold, forget, learn, merge, MOST_GONE, rekey, reset, trim, withoutLabel, type Item } from "../src/board/fold";
import { aTask, changedTo, cursorAt, goneFrom } from "./builders";

const one = aTask({ version: 3 });
const board = merge(EMPTY, [one], { epoch: "e", position: 10 });
const titleOf = (it: typeof board) => it.tasks.get("t1")?.title;

describe("The fold of the stream", () => {
  test("skips items that were applied already.", () => {
    const again = changedTo(aTask({ version: 9, title: "Again" }), 10);
    expect(titleOf(fold(board, [again]))).toBe("Paint the boat");
  });

  test("keeps the greater version, for an item may come with a newer task than it made.", () => {
    const newer = fold(board, [changedTo(aTask({ version: 5, title: "Five" }), 11)]);
    expect(titleOf(fold(newer, [changedTo(aTask({ version: 4, title: "Four" }), 12)]))).toBe("Five");
  });

  test("removes what is gone or deleted, and only the stream brings it back.", () => {
    const gone = fold(board, [goneFrom("t1", 11)]);
    expect(gone.tasks.has("t1")).toBe(false);
    expect(learn(gone, aTask({ version: 9 }), gone).tasks.has("t1")).toBe(false);
    expect(fold(gone, [changedTo(aTask({ version: 9 }), 12)]).tasks.has("t1")).toBe(true);
  });

  test("keeps a task whose change comes without it: only a deletion or TaskGone removes it.", () => {
    const hidden: Item = { ...changedTo(one, 11), task: null };
    const after = fold(board, [hidden]);
    expect(titleOf(after)).toBe("Paint the boat");
    expect(after.place!.position).toBe(11);
    expect(fold(after, [goneFrom("t1", 12, "TaskDeleted")]).tasks.size).toBe(0);
  });

  test("goes on in another history, though its positions are smaller.", () => {
    const restored = reset(board, [aTask({ version: 1, title: "Restored" })], cursorAt(2, "other"));
    expect(titleOf(restored)).toBe("Restored");
    const item = { ...changedTo(aTask({ version: 2, title: "After that" }), 3), cursor: cursorAt(3, "other") };
    expect(titleOf(fold(restored, [item]))).toBe("After that");
  });

  test("goes by versions alone where a cursor cannot be read.", () => {
    const item = { ...changedTo(aTask({ version: 4, title: "Four" }), 0), cursor: "?" };
    expect(titleOf(fold(board, [item, item]))).toBe("Four");
  });
});

describe("An answer", () => {
  test("that is older than the delivered items changes nothing.", () => {
    expect(titleOf(learn(board, aTask({ version: 2, title: "Two" }), board))).toBe("Paint the boat");
  });

  test("about a new task counts, unless everything was read anew since it was asked for.", () => {
    const made = aTask({ id: "t2" });
    expect(learn(board, made, board).tasks.has("t2")).toBe(true);
    expect(learn(reset(board, [one], cursorAt(12)), made, board).tasks.has("t2")).toBe(false);
  });

  test("that a task was deleted removes it; the stream may say so again, and an older answer may come late.", () => {
    const without = forget(board, "t1");
    expect(fold(without, [goneFrom("t1", 11, "TaskDeleted")]).tasks.size).toBe(0);
    expect(learn(without, aTask({ version: 9 }), board).tasks.size).toBe(0);
  });
});

test("An answer without labels keeps those that are known; the stream brings others, also with the same version.", () => {
  const labelled = merge(EMPTY, [{ ...one, labels: { nodes: [{ id: "l1" }] } }], { epoch: "e", position: 10 });
  const learned = learn(labelled, aTask({ version: 4 }), labelled);
  expect(learned.tasks.get("t1")).toMatchObject({ version: 4, labels: { nodes: [{ id: "l1" }] } });
  const delivered = fold(learned, [changedTo(aTask({ version: 4, labels: { nodes: [] } }), 11)]);
  expect(delivered.tasks.get("t1")!.labels).toEqual({ nodes: [] });
});

test("A board that is open for a week remembers the last tasks that are gone, not all of them.", () => {
  let now = board;
  for (let first = 0; first < 3 * MOST_GONE; first += 1_000) {
    now = fold(now, Array.from({ length: 1_000 }, (_, at) => goneFrom(`gone-${first + at}`, 11 + first + at)));
  }
  expect(now.gone.size).toBe(MOST_GONE);
  expect(now.gone.has(`gone-${3 * MOST_GONE - 1}`)).toBe(true);
  expect(forget(now, "another").gone.size).toBe(MOST_GONE);
});

test("A board that does not hold all tasks drops those that changed first, and keeps the ones in use.", () => {
  const most = 100;
  let now = board;
  let largest = 0;
  for (let change = 1; change <= 10 * most; change++) {
    const updatedAt = new Date(Date.UTC(2027, 0, 1) + change * 1_000).toISOString();
    now = trim(fold(now, [changedTo(aTask({ id: `new-${change}`, updatedAt }), 10 + change)]), most, ["t1", "unknown"]);
    largest = Math.max(largest, now.tasks.size);
  }
  expect(largest).toBe(2 * most);
  expect([now.tasks.has("t1"), now.tasks.has("unknown"), now.tasks.has("new-1"), now.tasks.has(`new-${10 * most}`)]).toEqual([true, false, false, true]);
  expect(trim(board, most, [])).toBe(board);
});

describe("Changes of a project", () => {
  const here = { id: "p1", key: "WEB" };
  const tasks = [
    aTask({ id: "t1", key: "WEB-3", project: here, labels: { nodes: [{ id: "l1" }, { id: "l2" }] } }),
    aTask({ id: "t2", key: "APP-3", project: { id: "p2", key: "APP" }, labels: { nodes: [{ id: "l2" }] } }),
  ];
  const both = merge(EMPTY, tasks);

  test("give its tasks the new key, without new versions.", () => {
    const shown = rekey(both, { id: "p1", key: "SHOP" });
    expect([...shown.tasks.values()].map(({ key, version }) => [key, version])).toEqual([["SHOP-3", 1], ["APP-3", 1]]);
    expect(shown.tasks.get("t1")!.project).toEqual({ id: "p1", key: "SHOP" });
    expect(rekey(both, here)).toBe(both);
  });

  test("take a deleted label from its tasks, and from no others.", () => {
    const shown = withoutLabel(both, "l1");
    expect(shown.tasks.get("t1")!.labels).toEqual({ nodes: [{ id: "l2" }] });
    expect(shown.tasks.get("t2")).toBe(tasks[1]);
  });
});
