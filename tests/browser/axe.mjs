import assert from "node:assert/strict";
import axe from "axe-core";

/** Fails with what axe finds on the page. */
export async function complains(page, where) {
  // Under the page's policy a script cannot be put into it, but one can be evaluated by the debugger.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const found = violations.map(({ id, nodes }) => `${where}: ${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
  assert.deepEqual(found, []);
}
