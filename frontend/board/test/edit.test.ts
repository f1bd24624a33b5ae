import { expect, test } from "vitest";

import { decided, mergeEdit, settled, typed } from "../src/board/edit";

const base = { name: "Web", key: "WEB", description: "The site" };

test("A field that the writer did not touch follows the server; one that they changed stays and is sent.", () => {
  const edit = typed(undefined, "name", "Web shop", base);
  const theirs = { ...base, description: "The new site" };
  expect(mergeEdit(edit, theirs)).toEqual({ merged: { ...theirs, name: "Web shop" }, changes: { name: "Web shop" }, conflicts: [] });
  expect(mergeEdit(undefined, theirs)).toEqual({ merged: theirs, changes: {}, conflicts: [] });
});

test("What both changed differently is a conflict until the writer decides, for the value that they saw.", () => {
  const edit = typed(undefined, "name", "Mine", base);
  const theirs = { ...base, name: "Theirs" };
  expect(mergeEdit(edit, theirs).conflicts).toEqual(["name"]);
  const mine = decided(edit, "name", theirs, "MINE");
  expect(mergeEdit(mine, theirs)).toMatchObject({ conflicts: [], changes: { name: "Mine" } });
  expect(mergeEdit(mine, { ...theirs, name: "Theirs again" }).conflicts).toEqual(["name"]);
  expect(mergeEdit(decided(edit, "name", theirs, "THEIRS"), theirs)).toMatchObject({ conflicts: [], changes: {}, merged: theirs });
});

test("A field that is touched later begins with the value of that time.", () => {
  const edit = typed(undefined, "name", "Mine", base);
  const theirs = { ...base, description: "Newer" };
  const later = typed(edit, "description", "Newer still", theirs);
  expect(mergeEdit(later, theirs)).toMatchObject({ conflicts: [], changes: { name: "Mine", description: "Newer still" } });
});

test("After it was saved, what was typed since is left.", () => {
  const edit = typed(typed(undefined, "name", "Saved", base), "key", "SHOP", base);
  expect(settled(edit, { name: "Saved", key: "SHOP" })).toBeUndefined();
  const left = settled(typed(edit, "name", "Typed since", base), { name: "Saved", key: "SHOP" });
  expect(mergeEdit(left, { ...base, name: "Saved", key: "SHOP" }).changes).toEqual({ name: "Typed since" });
});
