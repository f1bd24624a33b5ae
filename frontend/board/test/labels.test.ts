import { expect, test } from "vitest";

import { merge, EMPTY } from "../src/board/fold";
import { Labels } from "../src/board/labels";
import type { Question } from "../../common/question";
import { aTask } from "./builders";
import { FakeStore, refused } from "./fake_store";

const bug = { id: "l1", name: "Bug", color: "#000000", version: 4 };

/** A board with tasks that have the label; the viewer answers each question with *yes*. */
function withTasks(count: number, { yes = true, partial = false } = {}) {
  const store = new FakeStore();
  const tasks = Array.from({ length: count }, (_, at) => aTask({ id: `t${at}`, labels: { nodes: [{ id: "l1" }] } }));
  store.set({ board: merge(EMPTY, tasks), partial });
  const questions: Pick<Question, "title" | "text">[] = [], forgotten: string[] = [];
  let reads = 0;
  const context = Object.assign(store, {
    ask: async (question: Question) => (questions.push(question), yes),
    follow: { project: { forgetLabel: (id: string) => forgotten.push(id), read: async () => void reads++ } },
  });
  return { store, questions, forgotten, reads: () => reads, labels: new Labels(context as never, store.submit) };
}

test("Before a label is deleted, its tasks are counted, and what they lose is said.", async () => {
  for (const [count, text] of [[0, "No task has it."], [1, "1 task has it and loses it"], [2, "2 tasks have it and lose it"]] as const) {
    const { labels, questions, store } = withTasks(count, { yes: false });
    await labels.remove(bug);
    expect(questions[0]!.text).toContain(text);
    expect(questions[0]!.text).toContain("cannot be undone");
    expect(store.asked).toEqual([]);
  }
  const { labels, questions } = withTasks(2, { yes: false, partial: true });
  await labels.remove(bug);
  expect(questions[0]!.text).toMatch(/^The tasks that have it lose it/);
});

test("A deletion names the version that the viewer has seen, and removes the label at once.", async () => {
  const { labels, store, forgotten } = withTasks(1);
  store.answers.push(() => ({ deletedLabelId: "l1", userErrors: [] }));
  await labels.remove(bug);
  expect(store.asked).toEqual([{ name: "DeleteLabel", input: { id: "l1", expectedVersion: 4 } }]);
  expect(forgotten).toEqual(["l1"]);
  expect(store.said.at(-1)!.text).toBe("Deleted the label “Bug”.");
});

test("A deletion that is refused says why, and the label is read again.", async () => {
  const { labels, store, forgotten, reads } = withTasks(1);
  store.answers.push(refused("CONFLICT", "It is at version 5."));
  await labels.remove(bug);
  expect(store.said.at(-1)).toMatchObject({ kind: "REFUSED" });
  expect(store.said.at(-1)!.text).toMatch(/Another user changed it meanwhile/);
  expect([forgotten, reads()]).toEqual([[], 1]);
});
