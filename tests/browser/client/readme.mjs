// The page of the package's README: what it does, and what its session and stream do.
import assert from "node:assert/strict";
import { known } from "../board/people.mjs";
import { until, watched } from "../stage.mjs";

const CREATE = "mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } userErrors { message } } }";

async function opened(context, address) {
  const page = await context.newPage();
  const { complaints } = watched(page, address);
  await page.goto(address);
  await page.waitForFunction(() => window.stream?.status.state === "connected");
  return { page, complaints };
}

function shows(page, text) {
  return until(async () => (await page.locator("body").innerText()).includes(text), `the page shows ${text}`);
}

/** A page made by the README follows the changes of others. */
export async function followsOthers({ api, url, context }) {
  const alice = await known(api, "alice");
  const { page, complaints } = await opened(context, url);
  const { id } = await alice.create({ title: "By another" });
  await shows(page, "TODO: By another");
  await alice.move(id, "DONE");
  await shows(page, "DONE: By another");
  await alice.remove(id);
  await until(async () => !(await page.locator("body").innerText()).includes("By another"), "the task is removed");
  assert.deepEqual(complaints, []);
}

/** On plain HTTP outside of localhost it reads, changes and follows, in two tabs. */
export async function worksOnPlainHttp({ context, plainUrl }) {
  const [one, other] = [await opened(context, plainUrl), await opened(context, plainUrl)];
  const [isSecure, locks, randomUUID] = await one.page.evaluate(() => [isSecureContext, typeof navigator.locks, typeof crypto.randomUUID]);
  assert.deepEqual([isSecure, locks, randomUUID], [false, "undefined", "undefined"]);
  const result = await one.page.evaluate(
    ([query, title]) => window.ask(window.session, { query, variables: { input: { title } } }, { idempotencyKey: true }),
    [CREATE, "On plain HTTP"],
  );
  assert.deepEqual(result.createTask.userErrors, []);
  const again = () => one.page.evaluate(
    ([query, title]) => window.ask(window.session, { query, variables: { input: { title } } }, { idempotencyKey: "a-key-of-its-own" }),
    [CREATE, "Made once"],
  );
  assert.equal((await again()).createTask.task.id, (await again()).createTask.task.id);
  await shows(other.page, "TODO: On plain HTTP");
}

/** Tabs share their session, renew a refused token once for all of them, and end it together. */
export async function sharesItsSessionWithOtherTabs({ url, context }) {
  const tabs = [await opened(context, url), await opened(context, url), await opened(context, url)];
  let renewals = 0;
  for (const { page } of tabs) page.on("request", (request) => (renewals += /StaySignedIn/.test(request.postData() ?? "") ? 1 : 0));
  const tokens = () => Promise.all(tabs.map(({ page }) => page.evaluate(async () => (await window.session.authorize()).token)));
  await until(async () => new Set(await tokens()).size === 1, "all tabs have the token of the last one");
  const [token] = await tokens();
  await Promise.all(tabs.map(({ page }) => page.evaluate((refused) => window.session.authorize({ refused }), token)));
  assert.equal(renewals, 1);
  await tabs[0].page.evaluate(() => window.session.signOut());
  for (const { page } of tabs) await page.waitForFunction(() => window.session.state.status === "signedOut");
  for (const { page } of tabs) await page.waitForFunction(() => window.stream.status.error?.code === "SIGNED_OUT");
}

/** A page that becomes visible tests its connection. */
export async function testsItsConnectionWhenItIsShown({ url, context }) {
  const { page } = await opened(context, url);
  const pings = [];
  page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => /"ping"/.test(payload) && pings.push(payload)));
  await page.evaluate(() => window.stream.reconnect());
  await page.waitForFunction(() => window.stream.status.connections === 2 && window.stream.status.state === "connected");
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await until(() => pings.length === 1, "the connection is tested");
  assert.equal(await page.evaluate(() => window.stream.status.state), "connected");
}
