// Runs the given test files, as `node --test` does. A scenario that fails alone gets a second try, by itself, and is
// reported as flaky when it passes then. More than one that fails, or one that fails twice, is a failure of the run.
import { basename, resolve } from "node:path";
import process from "node:process";
import { run } from "node:test";
import { spec } from "node:test/reporters";

const CONCURRENCY = 2;

/** Runs files and prints a report; the scenarios that failed, each with the tests around it. */
async function failures(files, options = {}) {
  const events = run({ files: files.map((file) => resolve(file)), concurrency: CONCURRENCY, ...options });
  const around = new Map(), failed = [];
  events.on("test:start", ({ file, name, nesting }) => around.set(file, [...pathTo(around, file, nesting), name]));
  events.on("test:fail", ({ file, name, nesting, details, todo }) => {
    const isItself = details.error.failureType !== "subtestsFailed";
    if (isItself && todo === undefined) failed.push({ file: file ?? name, path: [...pathTo(around, file, nesting), name] });
  });
  const report = events.compose(new spec());
  report.pipe(process.stdout, { end: false });
  await new Promise((end) => report.on("end", end));
  return failed;
}

/** The names of the tests around one that begins or ends now, outermost first; a report is in the order of the file. */
function pathTo(around, file, nesting) {
  return (around.get(file) ?? []).slice(0, nesting);
}

/** Runs one scenario again: its outermost test by the name, and what is inside by `ONLY`, which such files heed. */
function again({ file, path: [outermost, ...inside] }) {
  if (inside.length > 0) process.env.ONLY = inside.at(-1).replaceAll(" ", "");
  return failures([file], { testNamePatterns: [new RegExp(`^${escaped(outermost)}$`)] });
}

function escaped(name) {
  return name.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}

const failed = await failures(process.argv.slice(2));
const [first] = failed;
if (failed.length === 1 && (await again(first)).length === 0) {
  console.log(`flaky: ${basename(first.file)}: ${first.path.join(" > ")}`);
} else if (failed.length > 0) {
  for (const { file, path } of failed) console.log(`failed: ${basename(file)}: ${path.join(" > ")}`);
  process.exitCode = 1;
}
