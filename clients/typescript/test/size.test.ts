// What a page loads: bundled with everything that a module needs, minified and compressed.
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { expect, test } from "vitest";

const KB = 1_000;

async function sizeOf(name: string, isExternal: (id: string) => boolean): Promise<number> {
  const input = new URL(`../src/${name}.ts`, import.meta.url).pathname;
  const bundle = await rolldown({ input, external: (id) => id !== input && isExternal(id) });
  const { output } = await bundle.generate({ format: "es", minify: true });
  expect(output).toHaveLength(1);
  return gzipSync(output[0].code, { level: 9 }).length;
}

test("The core has at most 8 kB with all that it needs, and no dependencies.", async () => {
  expect(await sizeOf("index", () => false)).toBeLessThanOrEqual(8 * KB);
});

test.each(["urql", "apollo", "react", "changes"])("/%s has at most 2 kB beside the core and its library.", async (name) => {
  const isOther = (id: string) => id === "./index.js" || !/^[./]/.test(id);
  expect(await sizeOf(name, isOther)).toBeLessThanOrEqual(2 * KB);
});
