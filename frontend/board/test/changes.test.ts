import { expect, test, vi } from "vitest";

import { Failure, type Api } from "../src/api/api";
import { MoveTaskDocument } from "../src/api/gql/graphql";
import { Changes } from "../src/board/changes";
import type { Task } from "../src/board/fold";
import { aTask } from "./builders";

interface Asked {
  readonly input: { readonly expectedVersion: number };
  readonly key: string;
}

/** Answers in turn: with a task, a refusal's code, or a failure. */
function server(...answers: (Task | "CONFLICT" | Failure)[]) {
  const asked: Asked[] = [];
  const ask = async (_: unknown, variables: { input: Asked["input"] }, key: string) => {
    asked.push({ input: variables.input, key });
    const answer = answers.shift();
    if (answer instanceof Failure) throw answer;
    if (answer === "CONFLICT") return { result: { userErrors: [{ code: "CONFLICT", message: "There is a newer version." }] } };
    return { result: { task: answer, userErrors: [] } };
  };
  return { asked, changes: new Changes({ ask } as unknown as Api, async () => {}, () => Date.parse(aTask().updatedAt)) };
}

const move = (changes: Changes, seen: number) =>
  changes.change(MoveTaskDocument, { id: "t1", status: "DONE" }, seen);

test("A second change of a task waits for the first, and expects the version that it made.", async () => {
  const { asked, changes } = server(aTask({ version: 4 }), aTask({ version: 5 }));
  await Promise.all([move(changes, 3), move(changes, 3)]);
  expect(asked.map(({ input }) => input.expectedVersion)).toEqual([3, 4]);
});

test("After a refusal the next change expects what the viewer has seen.", async () => {
  const { asked, changes } = server("CONFLICT", aTask({ version: 8 }));
  const [first] = await Promise.all([move(changes, 3), move(changes, 7)]);
  expect(first).toEqual({ made: false, code: "CONFLICT", message: "There is a newer version." });
  expect(asked[1]!.input.expectedVersion).toBe(7);
});

test("What was not answered is sent again under its key, so that it counts once.", async () => {
  const { asked, changes } = server(new Failure("No answer", "NO_ANSWER"), aTask({ version: 4 }));
  // When it was made is then not known, so nothing is learned of the clocks.
  expect(await move(changes, 3)).toMatchObject({ made: true, skew: null });
  expect(new Set(asked.map(({ key }) => key)).size).toBe(1);
});

test("A change that cannot be sent at all is an answer, and the next one is sent.", async () => {
  const api = { ask: () => { throw new TypeError("Not here"); } } as unknown as Api;
  const changes = new Changes(api, async () => {});
  expect(await move(changes, 3)).toEqual({ made: false, code: "FAILED", message: "Not here" });
  expect(await move(changes, 3)).toMatchObject({ made: false, code: "FAILED" });
});

test("A key needs no secure context.", async () => {
  const { asked, changes } = server(aTask({ version: 4 }));
  vi.stubGlobal("crypto", { getRandomValues: (bytes: Uint8Array) => bytes.fill(7) });
  expect(await move(changes, 3)).toMatchObject({ made: true });
  vi.unstubAllGlobals();
  expect(asked[0]!.key).toMatch(/^(07){16}$/);
});

test("Two changes have two keys.", async () => {
  const { asked, changes } = server(aTask({ version: 4 }), aTask({ version: 5 }));
  await move(changes, 3);
  await move(changes, 4);
  expect(asked[0]!.key).not.toBe(asked[1]!.key);
});

test("A missing response is reported after a while, and a permanent failure immediately.", async () => {
  const silent = server(...Array.from({ length: 9 }, () => new Failure("No answer", "NO_ANSWER")));
  expect(await move(silent.changes, 3)).toMatchObject({ made: false, code: "FAILED" });
  expect(silent.asked.length).toBe(6);
  const closed = server(new Failure("Sign in.", "UNAUTHENTICATED"));
  expect(await move(closed.changes, 3)).toMatchObject({ made: false, message: "Sign in." });
  expect(closed.asked.length).toBe(1);
});

test("A change gives the difference of the clocks; an unchanged task does not.", async () => {
  const fresh = server(aTask({ version: 4 }));
  expect(await move(fresh.changes, 3)).toMatchObject({ skew: { least: 0, most: 0 } });
  const idle = server(aTask({ version: 3 }));
  expect(await move(idle.changes, 3)).toMatchObject({ made: true, skew: null });
});
