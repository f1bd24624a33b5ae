// Uses the examples as people do, in a real browser, as their READMEs start them; `make examples` runs it.
// ONLY=word runs the scenarios whose names contain it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { freePort, inWords, onStage, picture, watched } from "../stage.mjs";
import * as crossing from "./crossing.mjs";
import * as scenarios from "./scenarios.mjs";
import { running } from "./vite.mjs";
import { wireTo } from "./wire.mjs";

const ONLY = process.env.ONLY?.toLowerCase() ?? "";
const PATIENCE = 20_000;
const SETTINGS = { BCRYPT_ROUNDS: "4" };
/** What the browser itself notes while the wire is cut. */
const CUT = /^Failed to load resource|^WebSocket connection to/;
const VITE = "http://localhost:5173";

const port = await freePort();
// To the browser that one has vite's own port, so that the server is asked from the origin that it lets in by itself.
const args = [`--host-resolver-rules=MAP ${new URL(VITE).host} localhost:${port}`];

test("The examples", { concurrency: 2 }, (examples) => onStage(async (browser, api) => {
  // As a user would write it: to the cookie, localhost and 127.0.0.1 are two sites.
  const across = { VITE_API: `${api.replace("127.0.0.1", "localhost")}/graphql` };
  await Promise.all([
    examples.test("urql", async (urql) => {
      await tried(urql, browser, "urql", scenarios, { api });
      await tried(urql, browser, "urql", crossing, { api, port, url: VITE, settings: across });
    }),
    examples.test("apollo", (apollo) => tried(apollo, browser, "apollo", scenarios, { api })),
  ]);
}, SETTINGS, { args }));

/** The example is started, and passes all scenarios. */
async function tried(example, browser, name, scenarios, { api, port, url, settings }) {
  const wire = await wireTo(new URL(api).port);
  const vite = await running(name, port ?? (await freePort()), settings ?? { TASKRIVER: wire.url });
  try {
    for (const [scenario, run] of Object.entries(scenarios).filter(([each]) => each.toLowerCase().includes(ONLY)))
      await example.test(inWords(scenario), () => inAWindow(browser, scenario, run, { api, url: url ?? vite.url, wire, name }));
  } finally {
    await vite.end();
    wire.end();
  }
}

/** Every scenario has a browser context of its own; its page may not complain, or ask other hosts for anything. */
async function inAWindow(browser, scenario, run, stage) {
  const context = await browser.newContext({ viewport: { width: 900, height: 700 } });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const { complaints, foreign } = watched(page, stage.url);
  page.on("console", (message) => message.type() === "warning" && complaints.push(message.text()));
  try {
    await run({ ...stage, page });
    assert.deepEqual(complaints.filter((text) => !CUT.test(text)), []);
    assert.deepEqual(foreign.filter((asked) => new URL(asked).hostname !== "localhost"), []);
  } catch (error) {
    await picture(page, `${stage.name}-failed-${scenario}`);
    throw error;
  } finally {
    await context.close();
  }
}
