// Installs the client package in a new project, as its README says, and uses it in a real browser; `make examples` runs it.
// ONLY=word runs the scenarios whose names contain it. EVENTS=… is the number of events in the test of memory.
import { test } from "node:test";
import { wireTo } from "../examples/wire.mjs";
import { freePort, inWords, onStage, picture } from "../stage.mjs";
import * as memory from "./memory.mjs";
import * as network from "./network.mjs";
import { addPage, newProject, served } from "./project.mjs";
import * as readme from "./readme.mjs";
import * as rendering from "./rendering.mjs";
import * as rights from "./rights.mjs";
import * as sleeping from "./sleeping.mjs";
import * as strictMode from "./strict_mode.mjs";
import * as tabs from "./tabs.mjs";

const ONLY = process.env.ONLY?.toLowerCase() ?? "";
/** To the browser this is another host than localhost: its pages are no secure context on plain HTTP. */
const HOST = "tasks.example";
/** Some scenarios wait most of the time. The longest ones are first: one waits until a token has expired. */
const CONCURRENCY = 4;
/** These run before the others: they count what the server has. */
const ALONE = strictMode;
const TOGETHER = { ...rights, ...memory, ...sleeping, ...readme, ...tabs, ...network, ...rendering };

const [port, metricsPort] = [await freePort(), await freePort()];
const url = `http://127.0.0.1:${port}/`;
const settings = { BCRYPT_ROUNDS: "4", ACCESS_TOKEN_MINUTES: "1", METRICS_PORT: `${metricsPort}`, ALLOWED_ORIGINS: url.slice(0, -1) };
const args = [`--host-resolver-rules=MAP ${HOST} 127.0.0.1`];

test("The client package", { concurrency: CONCURRENCY }, (suite) => onStage(async (browser, api) => {
  const project = newProject(api);
  addPage(project);
  const vite = await served(project, port);
  const stage = { api, browser, project, url, plainUrl: url.replace("127.0.0.1", HOST), metrics: `http://127.0.0.1:${metricsPort}/metrics` };
  const tried = ([name, scenario]) => suite.test(inWords(name), async (here) => {
    const said = await inAWindow(stage, name, scenario);
    if (said) here.diagnostic(said);
  });
  try {
    for (const each of chosen(ALONE)) await tried(each);
    await Promise.all(chosen(TOGETHER).map(tried));
  } finally {
    await vite.end();
    project.remove();
  }
}, settings, { args }));

function chosen(scenarios) {
  return Object.entries(scenarios).filter(([name]) => name.toLowerCase().includes(ONLY));
}

/** Every scenario has a browser context and a wire to the API of its own. */
async function inAWindow(stage, name, scenario) {
  const wire = await wireTo(new URL(stage.api).port);
  const context = await stage.browser.newContext();
  try {
    return await scenario({ ...stage, context, wire });
  } catch (error) {
    for (const [at, page] of context.pages().entries()) await picture(page, `client-failed-${name}-${at}`).catch(() => {});
    throw error;
  } finally {
    await context.close();
    wire.end();
  }
}
