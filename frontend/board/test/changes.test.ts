import { expect, test } from "vitest";

import { RequestError } from "@taskriver/client";
import type { Api } from "../src/api/api";
import { MoveTaskDocument } from "../src/api/gql/graphql";
import { Changes } from "../src/board/changes";
import type { Task } from "../src/board/fold";
import { aTask } from "./builders";

interface Asked {
  readonly input: { readonly expectedVersion: number };
  readonly idempotencyKey: unknown;
}

/** Answers in turn: with a task, a refusal's code, or a failure. */
function server(...answers: (Task | "CONFLICT" | RequestError)[]) {
  const asked: Asked[] = [];
  const ask = async (_: unknown, variables: { input: Asked["input"] }, options: { idempotencyKey: unknown }) => {
    asked.push({ input: variables.input, idempotencyKey: options.idempotencyKey });
    const answer = answers.shift();
    if (answer instanceof RequestError) throw answer;
    if (answer === "CONFLICT") return { result: { userErrors: [{ code: "CONFLICT", message: "There is a newer version." }] } };
    return { result: { task: answer, userErrors: [] } };
  };
  return { asked, changes: new Changes({ ask } as unknown as Api, () => Date.parse(aTask().updatedAt)) };
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

test("A change that cannot be sent at all is an answer, and the next one is sent.", async () => {
  const api = { ask: () => { throw new TypeError("Not here"); } } as unknown as Api;
  const changes = new Changes(api);
  expect(await move(changes, 3)).toEqual({ made: false, code: "FAILED", message: "Not here" });
  expect(await move(changes, 3)).toMatchObject({ made: false, code: "FAILED" });
});

test("A change has an idempotency key, so that the client can send it again; a failure is an answer.", async () => {
  const { asked, changes } = server(aTask({ version: 4 }), new RequestError("UNAUTHENTICATED", "Sign in."));
  await move(changes, 3);
  expect(await move(changes, 4)).toEqual({ made: false, code: "FAILED", message: "Sign in." });
  expect(asked.map(({ idempotencyKey }) => idempotencyKey)).toEqual([true, true]);
});

test("A change gives the difference of the clocks; an unchanged task does not.", async () => {
  const fresh = server(aTask({ version: 4 }));
  expect(await move(fresh.changes, 3)).toMatchObject({ skew: { least: 0, most: 0 } });
  const idle = server(aTask({ version: 3 }));
  expect(await move(idle.changes, 3)).toMatchObject({ made: true, skew: null });
});
