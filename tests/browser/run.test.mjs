// What run.mjs makes of scenarios that fail: the exit code of a run, and what it says at its end.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const RUN = join(import.meta.dirname, "run.mjs");

/** Scenarios that fail as often as is said, and note each of their runs in a file. */
const FILE = (scenarios) => `
  import { appendFileSync, readFileSync } from "node:fs";
  import { test } from "node:test";
  const SCENARIOS = ${JSON.stringify(scenarios)};
  const notes = new URL("notes", import.meta.url);
  test("a (stage)", async (stage) => {
    for (const [name, failures] of Object.entries(SCENARIOS).filter(([name]) => name.replaceAll(" ", "").includes(process.env.ONLY ?? "")))
      await stage.test(name, () => {
        appendFileSync(notes, name + "\\n");
        const runs = readFileSync(notes, "utf8").split("\\n").filter((each) => each === name).length;
        if (runs <= failures) throw new Error(name);
      });
  });
`;

/** Runs a file with these scenarios: the exit code, the last line that is said, and which scenarios ran. */
async function runOf(scenarios) {
  const folder = mkdtempSync(join(tmpdir(), "taskriver-run-"));
  try {
    const file = join(folder, "some.test.mjs");
    writeFileSync(file, FILE(scenarios));
    const { NODE_TEST_CONTEXT, ...env } = process.env; // a test runner in a test would run nothing
    const child = spawn(process.execPath, [RUN, file], { env, stdio: ["ignore", "pipe", "inherit"] });
    let out = "";
    child.stdout.on("data", (part) => (out += part));
    const code = await new Promise((end) => child.on("close", end));
    return { code, last: out.trimEnd().split("\n").at(-1), ran: readFileSync(join(folder, "notes"), "utf8").trim().split("\n") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("A run of scenarios that pass is good, and each runs once.", async () => {
  const { code, ran } = await runOf({ "signs in": 0, "signs out": 0 });
  assert.deepEqual([code, ran], [0, ["signs in", "signs out"]]);
});

test("A scenario that fails once runs again alone, and is reported as flaky.", async () => {
  const { code, last, ran } = await runOf({ "signs in": 0, "signs out": 1 });
  assert.deepEqual([code, ran], [0, ["signs in", "signs out", "signs out"]]);
  assert.equal(last, "flaky: some.test.mjs: a (stage) > signs out");
});

test("A scenario that fails twice fails the run.", async () => {
  const { code, last, ran } = await runOf({ "signs in": 0, "signs out": 2 });
  assert.deepEqual([code, ran], [1, ["signs in", "signs out", "signs out"]]);
  assert.equal(last, "failed: some.test.mjs: a (stage) > signs out");
});

test("Two scenarios that fail fail the run, and neither runs again.", async () => {
  const { code, ran } = await runOf({ "signs in": 1, "signs out": 1 });
  assert.deepEqual([code, ran], [1, ["signs in", "signs out"]]);
});
