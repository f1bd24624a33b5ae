import { expect, test } from "vitest";

import { explain, inBoardWords } from "../src/board/errors";

test("Refusals use the names of the columns, and no words of the API.", () => {
  expect(inBoardWords("A task cannot go from DONE to CANCELLED; from here it can go to TODO, IN_PROGRESS.")).toBe(
    "A task cannot go from Done to Cancelled; from here it can go to To do, In progress.",
  );
  expect(explain({ made: false, code: "CONFLICT", message: "The task is at version 2, not 1." })).not.toMatch(/version/);
});

test("Words that only look like them stay.", () => {
  expect(inBoardWords("TODOS and IN_PROGRESS_X")).toBe("TODOS and IN_PROGRESS_X");
});
