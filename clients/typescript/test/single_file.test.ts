import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

test("examples/resumable/resumable.mjs is built from these sources; after a change run `make client`.", () => {
  const built = execFileSync("node", ["single-file/build.mjs", "--print"], { cwd: new URL("..", import.meta.url) }).toString();
  const committed = readFileSync(new URL("../../../examples/resumable/resumable.mjs", import.meta.url), "utf8");
  expect(committed).toBe(built);
});
