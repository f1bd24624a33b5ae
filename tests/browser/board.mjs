// Uses /board as people do: with mouse, keyboard and thumb, in one window and in two, on good lines and on bad ones.
// ONLY=word runs the scenarios whose names contain it.
import assert from "node:assert/strict";
import * as changing from "./board/changing.mjs";
import * as crowd from "./board/crowd.mjs";
import * as finding from "./board/finding.mjs";
import * as signingIn from "./board/signing_in.mjs";
import * as streaming from "./board/streaming.mjs";
import { onStage, picture, watchedPage } from "./stage.mjs";

const SCENARIOS = Object.entries({ ...signingIn, ...changing, ...streaming, ...finding, ...crowd });
const chosen = SCENARIOS.filter(([name]) => !process.env.ONLY || name.toLowerCase().includes(process.env.ONLY.toLowerCase()));

/** What the browser itself notes of answers and sockets that a scenario wants to go wrong. */
const WANTED = /Failed to load resource|WebSocket connection to .* failed/;

await onStage(async (browser, base) => {
  for (const [name, scenario] of chosen) {
    const began = Date.now();
    const said = await run(browser, base, name, scenario);
    console.log(`  ✓ ${inWords(name)}${said ? `: ${said}` : ""}  (${((Date.now() - began) / 1_000).toFixed(1)} s)`);
  }
  console.log(`/board: ${chosen.length} scenarios; asked nothing of other hosts, broke no policy.`);
});

async function run(browser, base, name, scenario) {
  const pages = [];
  const page = async (options) => {
    const watched = await watchedPage(browser, base, options);
    watched.page.setDefaultTimeout(10_000);
    pages.push(watched);
    return watched.page;
  };
  try {
    const said = await scenario({ base, page });
    for (const { complaints, foreign } of pages) {
      assert.deepEqual(complaints.filter((text) => !WANTED.test(text)), []);
      assert.deepEqual(foreign, []);
    }
    return said;
  } catch (error) {
    console.error(`  ✗ ${inWords(name)}`, pages.flatMap(({ complaints }) => complaints));
    for (const [at, { page: failed }] of pages.entries()) await picture(failed, `board-failed-${name}-${at}`).catch(() => {});
    throw error;
  } finally {
    for (const { page: used } of pages) await used.close();
  }
}

function inWords(name) {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
