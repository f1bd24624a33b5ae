// Installs the client package in a new project, as its README says, and uses it in a real browser; `make examples` runs it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { known } from "../board/people.mjs";
import { freePort, onStage, until, watched } from "../stage.mjs";
import { newProject, served } from "./project.mjs";

/** To the browser this is another host than localhost: its pages are no secure context on plain HTTP. */
const HOST = "tasks.example";
const CREATE = "mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } userErrors { message } } }";
/** What the browser itself reports while a page is offline. */
const OFFLINE = /ERR_INTERNET_DISCONNECTED|net::ERR|WebSocket connection to/;

test("The client package", (suite) => onStage(async (browser, api) => {
  const project = newProject(api);
  const port = await freePort();
  const vite = await served(project, port);
  const url = `http://127.0.0.1:${port}/`;
  const alice = await known(api, "alice");
  const shows = (page, text) => until(async () => (await page.locator("body").innerText()).includes(text), `the page shows ${text}`);
  const opened = async (context, address = url) => {
    const page = await context.newPage();
    const complaints = watched(page, address).complaints;
    await page.goto(address);
    await page.waitForFunction(() => window.stream?.status.state === "connected");
    return { page, complaints };
  };
  try {
    await suite.test("a page made by its README follows the changes of others", async () => {
      const context = await browser.newContext();
      const { page, complaints } = await opened(context);
      const { id } = await alice.create({ title: "By another" });
      await shows(page, "TODO: By another");
      await alice.move(id, "DONE");
      await shows(page, "DONE: By another");
      await alice.remove(id);
      await until(async () => !(await page.locator("body").innerText()).includes("By another"), "the task is removed");
      assert.deepEqual(complaints, []);
      await context.close();
    });

    await suite.test("on plain HTTP outside of localhost it reads, changes and follows, in two tabs", async () => {
      const context = await browser.newContext();
      const [one, other] = [await opened(context, `http://${HOST}:${port}/`), await opened(context, `http://${HOST}:${port}/`)];
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
      await context.close();
    });

    await suite.test("tabs share their session, and renew it once for all of them", async () => {
      const context = await browser.newContext();
      const tabs = [await opened(context), await opened(context), await opened(context)];
      let renewals = 0;
      for (const { page } of tabs) page.on("request", (request) => (renewals += /StaySignedIn/.test(request.postData() ?? "") ? 1 : 0));
      await Promise.all(tabs.map(({ page }) => page.evaluate(async () => {
        const { token } = await window.session.authorize();
        await window.session.authorize({ refused: token });
      })));
      assert.equal(renewals, 1);
      await tabs[0].page.evaluate(() => window.session.signOut());
      for (const { page } of tabs) await page.waitForFunction(() => window.session.state.status === "signedOut");
      for (const { page } of tabs) await page.waitForFunction(() => window.stream.status.error?.code === "SIGNED_OUT");
      await context.close();
    });

    await suite.test("after a time without a network it is live within seconds, and has missed nothing", async () => {
      const context = await browser.newContext();
      const { page, complaints } = await opened(context);
      await context.setOffline(true);
      await page.evaluate(() => window.stream.reconnect());
      await page.waitForFunction(() => window.stream.status.state === "waiting");
      await alice.create({ title: "Missed" });
      await context.setOffline(false);
      await shows(page, "TODO: Missed");
      assert.deepEqual(complaints.filter((text) => !OFFLINE.test(text)), []);
      await context.close();
    });

    await suite.test("a page that becomes visible tests its connection", async () => {
      const context = await browser.newContext();
      const { page } = await opened(context);
      const pings = [];
      page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => /"ping"/.test(payload) && pings.push(payload)));
      await page.evaluate(() => window.stream.reconnect());
      await page.waitForFunction(() => window.stream.status.connections === 2 && window.stream.status.state === "connected");
      await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
      await until(() => pings.length === 1, "the connection is tested");
      assert.equal(await page.evaluate(() => window.stream.status.state), "connected");
      await context.close();
    });

    await suite.test("a session that was ended elsewhere ends the stream", async () => {
      const context = await browser.newContext();
      const { page } = await opened(context);
      await (await known(api, "alice")).ask("mutation { logoutAll { userErrors { message } } }");
      await page.waitForFunction(() => window.session.state.status === "signedOut");
      await page.waitForFunction(() => window.stream.status.error?.code === "SIGNED_OUT");
      await context.close();
    });
  } finally {
    await vite.end();
    project.remove();
  }
}, { BCRYPT_ROUNDS: "4" }, { args: [`--host-resolver-rules=MAP ${HOST} 127.0.0.1`] }));
