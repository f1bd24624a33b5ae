import { expect, test } from "vitest";

import { changes, conflicts, decided, edited, isEmpty, isUnsaved, merged, settled, type Draft } from "../src/board/draft";
import { BLANK, type FieldName, type Fields } from "../src/board/fields";

const base: Fields = { title: "Base", description: "Base text", priority: "MEDIUM", dueAt: "2026-01-01T12:00:00Z" };
const typed = (draft: Draft | undefined, change: Partial<Fields>, theirs: Fields): Draft => {
  const shown = merged(draft, theirs);
  return (Object.keys(change) as FieldName[]).reduce<Draft>(
    (now, name) => edited(now, name, { ...shown, ...change }, shown), draft ?? { base: theirs, mine: theirs },
  );
};

test("A field that the writer did not touch follows the server; one that they changed stays.", () => {
  const draft = typed(undefined, { description: "Mine" }, base);
  const theirs = { ...base, title: "Theirs" };
  expect(merged(draft, theirs)).toEqual({ ...base, title: "Theirs", description: "Mine" });
  expect(conflicts(draft, theirs)).toEqual([]);
  expect(changes(draft, theirs)).toEqual({ description: "Mine" });
});

test("Only a field that both changed, and differently, is a conflict.", () => {
  const draft = typed(undefined, { title: "Mine", priority: "HIGH" }, base);
  const theirs: Fields = { ...base, title: "Theirs", priority: "HIGH", description: "Theirs" };
  expect(conflicts(draft, theirs)).toEqual(["title"]);
  expect(merged(draft, theirs)).toEqual({ ...theirs, title: "Mine" });
  expect(changes(draft, theirs)).toEqual({ title: "Mine" });
});

test("Keeping mine sends it; using theirs sends nothing and keeps the rest of what was typed.", () => {
  const draft = typed(undefined, { title: "Mine", description: "Mine" }, base);
  const theirs = { ...base, title: "Theirs" };
  const mine = decided(draft, "title", theirs, "MINE");
  expect([conflicts(mine, theirs), changes(mine, theirs)]).toEqual([[], { title: "Mine", description: "Mine" }]);
  const other = decided(draft, "title", theirs, "THEIRS");
  expect([conflicts(other, theirs), changes(other, theirs)]).toEqual([[], { description: "Mine" }]);
  expect(merged(other, theirs).title).toBe("Theirs");
});

test("A decision holds for the value that it was made about: another one asks again.", () => {
  const draft = decided(typed(undefined, { title: "Mine" }, base), "title", { ...base, title: "Theirs" }, "MINE");
  expect(conflicts(draft, { ...base, title: "Later" })).toEqual(["title"]);
});

test("What is typed into a field that was updated meanwhile begins from what it showed.", () => {
  const theirs = { ...base, title: "Theirs" };
  const draft = typed(typed(undefined, { description: "Mine" }, base), { title: "Theirs, and more" }, theirs);
  expect(conflicts(draft, theirs)).toEqual([]);
  expect(changes(draft, theirs)).toEqual({ title: "Theirs, and more", description: "Mine" });
});

test("Two inputs before the form is drawn again count both.", () => {
  const first = edited(undefined, "title", { ...base, title: "Mine" }, base);
  const second = edited(first, "priority", { ...base, priority: "LOW" }, base);
  expect(changes(second, base)).toEqual({ title: "Mine", priority: "LOW" });
});

test("What was typed while the rest was saved is left to save.", () => {
  const draft = typed(undefined, { title: "Saved" }, base);
  const later = typed(draft, { description: "Typed later" }, base);
  const rest = settled(later, { title: "Saved" });
  expect(changes(rest, { ...base, title: "Saved" })).toEqual({ description: "Typed later" });
  expect(isEmpty(settled(draft, { title: "Saved" }))).toBe(true);
});

test("A space that is typed before the next word stays.", () => {
  const draft = typed(undefined, { title: "Base " }, base);
  expect(merged(draft, base).title).toBe("Base ");
  expect(changes(typed(draft, { title: "Base line" }, base), base)).toEqual({ title: "Base line" });
});

test("The same instant, and a title with spaces around it, are no change.", () => {
  const draft = typed(undefined, { title: " Base ", dueAt: "2026-01-01T12:00:00.000Z" }, base);
  expect([changes(draft, base), isUnsaved(draft, base)]).toEqual([{}, false]);
});

test("A new task with an assignee counts as unsaved, even without a title.", () => {
  expect(isUnsaved({ base: BLANK, mine: BLANK, assignee: { id: "u1", username: "ada" } }, BLANK)).toBe(true);
});
