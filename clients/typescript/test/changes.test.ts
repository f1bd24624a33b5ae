import { expect, test } from "vitest";

import { createChangeQueue, mergeChanges } from "../src/changes.js";
import { FakeSession } from "./fake_session.js";
import { settle } from "./until.js";

const BASE = { title: "Plan", status: "TODO", due: null as string | null };

test("Fault 4: only fields that the user changed are sent; others are those of the server.", () => {
  const mine = { ...BASE, title: "My plan" };
  const theirs = { ...BASE, status: "DONE", due: "2027" };
  expect(mergeChanges(BASE, mine, theirs)).toEqual({
    merged: { title: "My plan", status: "DONE", due: "2027" }, changes: { title: "My plan" }, conflicts: [],
  });
});

test("Fault 4: a conflict is a field that both sides changed, differently; the typed text is kept until it is decided.", () => {
  const mine = { title: "Mine", status: "DONE", due: "2027" };
  const theirs = { title: "Theirs", status: "DONE", due: null };
  const { merged, changes, conflicts } = mergeChanges(BASE, mine, theirs);
  expect(conflicts).toEqual(["title"]);
  expect(merged).toEqual({ title: "Mine", status: "DONE", due: "2027" });
  expect(changes).toEqual({ title: "Mine", due: "2027" });
});

test("Fault 4: fields can be compared in their own way.", () => {
  const trimmed = (one: unknown, other: unknown) => String(one).trim() === String(other).trim();
  expect(mergeChanges({ title: "a" }, { title: "a " }, { title: "b" }, trimmed)).toEqual({
    merged: { title: "b" }, changes: {}, conflicts: [],
  });
});

/** A server that changes tasks: each change must name the version before it. */
function tasks() {
  const log: string[] = [];
  const held: (() => void)[] = [];
  const send = (id: string, what: string) => async (expectedVersion: number) => {
    log.push(`${id} ${what} at ${expectedVersion}`);
    await new Promise<void>((resolve) => held.push(resolve));
    return what === "refused" ? { version: null } : { version: expectedVersion + 1 };
  };
  return { log, send, release: async () => (held.shift()?.(), settle()) };
}

const versionOf = ({ version }: { version: number | null }) => version;

test("Fault 15: changes of one task are sent in their order, each with the version that the last one made.", async () => {
  const queue = createChangeQueue();
  const { log, send, release } = tasks();
  const all = ["start", "stop", "refused", "again"].map((what) => queue.run("1", 4, send("1", what), versionOf));
  void queue.run("2", 9, send("2", "start"), versionOf);
  await settle();
  expect(log).toEqual(["2 start at 9", "1 start at 4"].sort());
  for (let step = 0; step < 6; step++) await release();
  await Promise.all(all);
  expect(log.filter((line) => line.startsWith("1"))).toEqual(["1 start at 4", "1 stop at 5", "1 refused at 6", "1 again at 6"]);
  expect(queue.size).toBe(0);
});

test("A change that fails does not stop those behind it.", async () => {
  const queue = createChangeQueue();
  const failing = queue.run("1", 1, () => Promise.reject(new Error("down")), () => 1);
  const next = queue.run("1", 1, async (version) => version, () => 2);
  await expect(failing).rejects.toThrow("down");
  expect(await next).toBe(1);
});

test("Fault 6: changes that wait are not sent after a sign-out.", async () => {
  const session = new FakeSession("");
  const queue = createChangeQueue(session);
  const { log, send, release } = tasks();
  const first = queue.run("1", 1, send("1", "first"), versionOf);
  const second = queue.run("1", 1, send("1", "second"), versionOf);
  const refused = expect(second).rejects.toMatchObject({ code: "USER_CHANGED" });
  await settle();
  session.signIn("bob");
  await release();
  await first;
  await refused;
  expect(log).toEqual(["1 first at 1"]);
  expect(queue.size).toBe(0);
});

test("An error in `versionOf` does not stop the changes behind it.", async () => {
  const queue = createChangeQueue();
  const versionOf = (response: { task: { version: number } | null }) => response.task!.version;
  expect(await queue.run("1", 1, async () => ({ task: null }), versionOf)).toEqual({ task: null });
  expect(await queue.run("1", 1, async (version) => ({ task: { version } }), versionOf)).toEqual({ task: { version: 1 } });
  await settle();
  expect(queue.size).toBe(0);
});
