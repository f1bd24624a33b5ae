// Pages that sleep, and connections that die without a sign: the network has forgotten them.
import assert from "node:assert/strict";
import { newUser } from "../board/people.mjs";
import { inUsualBrowser, usualContext } from "./usual_browser.mjs";
import { Visit } from "./visit.mjs";

const HOUR = 3_600_000;
/** The time for timers on a busy machine, in milliseconds. */
const SLACK = 5_000;

/** A page in the background is live soon after *wake*, and has missed nothing. *sleep* is what happens to it before. */
function wakes({ api, url, wire }, sleep, wake, options) {
  return inUsualBrowser(async (endpoint) => {
    const context = await usualContext(endpoint);
    const person = await newUser(api);
    const visit = await Visit.open(context, url, { person, path: "built/page.html", ...options, url: `${wire.url}/graphql` });
    await context.newPage(); // in front of it
    await visit.page.waitForFunction(() => document.hidden);
    const browser = await context.newCDPSession(visit.page);
    await sleep(browser);
    const { id } = await person.create({ title: "Missed" });
    await person.move(id, "DONE");
    const start = Date.now();
    await wake(visit.page, browser);
    await visit.shows("DONE: Missed");
    const duration = Date.now() - start;
    await visit.receives("CREATED: Missed", "STATUS: Missed");
    assert.equal((await visit.status()).connections, 2);
    await visit.wasClean();
    return `live ${duration} ms after waking`;
  });
}

/** The browser suspends the page: no timer fires, and its sockets are closed. */
function freeze(browser) {
  return browser.send("Page.setWebLifecycleState", { state: "frozen" });
}

/** The user looks at the page again. */
function show(page) {
  return page.bringToFront();
}

export function wakesUpWhenItIsShown(stage) {
  return wakes(stage, freeze, show);
}

/** The browser lets the page run again, which stays in the background. */
export function wakesUpInTheBackground(stage) {
  return wakes(stage, freeze, (_page, browser) => browser.send("Page.setWebLifecycleState", { state: "active" }));
}

/** The network has forgotten the connection while the page was hidden. Only the test of the connection can notice it here. */
export function noticesADeadConnectionWhenItIsShown(stage) {
  return wakes(stage, () => stage.wire.silence(), show, { silenceTimeout: HOUR, checkTimeout: 1_000 });
}

/** A page that is awake says no longer than `silenceTimeout` (30 seconds) that a dead connection is live. */
export async function isNotLiveForLongWithoutAServer({ api, url, context, wire }) {
  const person = await newUser(api);
  const visit = await Visit.open(context, url, { person, url: `${wire.url}/graphql` });
  await person.create({ title: "The last message" });
  await visit.shows("TODO: The last message");
  await visit.page.evaluate(() => (window.silentSince = performance.now()));
  wire.silence();
  await person.create({ title: "Missed" });
  await visit.page.waitForFunction(() => window.app.stream.status.state !== "connected", null, { timeout: 60_000 });
  const silence = await visit.page.evaluate(() => window.seen.states.at(-1).at - window.silentSince);
  assert.ok(silence < 30_000 + SLACK, `${silence} ms`);
  await visit.shows("TODO: The last message", "TODO: Missed");
  await visit.wasClean();
  return `${Math.round(silence)} ms until it is not live`;
}
