import { expect, test } from "vitest";

import { byRank } from "../src/board/ranks";
import { Placer } from "../src/board/placer";
import { aTask } from "./builders";
import { changed, FakeStore, refused } from "./fake_store";

const one = aTask({ id: "one", title: "One", rank: "b" });
const two = aTask({ id: "two", title: "Two", rank: "d" });
const three = aTask({ id: "three", title: "Three", rank: "f", version: 4 });

function board() {
  const store = new FakeStore(one, two, three);
  const order = () => [...store.tasks.values()].sort(byRank).map(({ id }) => id).join(" ");
  return { store, order, placer: new Placer(store.context, store.submit, store.write) };
}

const end = { after: "two", before: null };

test("A card is shown at its new place at once, and placed with one request.", async () => {
  const { store, order, placer } = board();
  store.answers.push(changed({ ...three, rank: "c", version: 5 }));
  const work = placer.put("three", "TODO", { after: "one", before: "two" }, end);
  expect(order()).toBe("one three two");
  await work;
  expect(store.asked).toEqual([{ name: "PlaceTask", input: { id: "three", after: "one", expectedVersion: 4 } }]);
  expect(order()).toBe("one three two");
  expect(store.state.pendingChanges).toEqual([]);
  expect(store.said).toEqual([{ kind: "DONE", text: "Moved “Three” within To do.", canUndo: true }]);
});

test("A refused card is back at its place, and it is said why.", async () => {
  const { store, order, placer } = board();
  store.answers.push(refused("CONFLICT"));
  const work = placer.put("three", "DONE", { after: null, before: "one" }, end);
  expect(order()).toBe("three one two");
  expect(store.tasks.get("three")!.status).toBe("DONE");
  await work;
  expect(order()).toBe("one two three");
  expect(store.tasks.get("three")!.status).toBe("TODO");
  expect(store.said[0]!.text).toMatch(/^“Three” is back at its place: Another user changed it/);
});

test("Undo leads back to the neighbour that the card had, by the version that the move made.", async () => {
  const { store, placer } = board();
  store.answers.push(changed({ ...three, rank: "a", version: 5 }), changed({ ...three, version: 6 }));
  await placer.put("three", "TODO", { after: null, before: "one" }, end);
  await store.write.undo();
  expect(store.asked.map(({ input }) => input)).toEqual([
    { id: "three", before: "one", expectedVersion: 4 }, { id: "three", after: "two", expectedVersion: 5 },
  ]);
});

test("A step with the keys says the place; at the end of the column nothing is sent.", async () => {
  const { store, placer } = board();
  store.answers.push(changed({ ...one, rank: "e", version: 2 }));
  await placer.step([one, two, three], "one", 1);
  expect(store.asked[0]!.input).toMatchObject({ id: "one", after: "two" });
  await placer.step([two, one, three], "three", 1);
  expect(store.asked).toHaveLength(1);
  expect(store.said.map(({ text }) => text)).toEqual(["“One” is at place 2 of 3 in To do.", "“Three” is last in To do."]);
});

test("A card that may not be moved is not placed.", async () => {
  const { store, placer } = board();
  store.set({ board: { ...store.state.board, tasks: new Map([["one", { ...one, viewerCanUpdateStatus: false }]]) } });
  await placer.put("one", "TODO", end, end);
  expect(store.asked).toEqual([]);
  expect(store.said[0]!.kind).toBe("REFUSED");
});
