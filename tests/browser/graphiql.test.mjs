// Uses GraphiQL at /graphql as a person does. Access tokens live for a minute here, so that one expires meanwhile.
import assert from "node:assert/strict";
import { test } from "node:test";
import { USER, client, onStage, picture, until, watched } from "./stage.mjs";

const SETTINGS = { ACCESS_TOKEN_MINUTES: "1" };
const LONGEST_TOKEN = 60_000;
const MOVE = "mutation ($input: UpdateTaskStatusInput!) { updateTaskStatus(input: $input) { task { status } } }";
const ADD = "mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }";
const BACK = { TODO: "IN_PROGRESS", IN_PROGRESS: "TODO" };

/** One window of a separate browser: actions and content of the page. */
class Window {
  static async open(browser, base, options = {}) {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
    return Window.in(context, base);
  }

  static async in(context, base, prepare = () => {}, path = "/graphql") {
    const window = new Window();
    window.page = await context.newPage();
    Object.assign(window, watched(window.page, base));
    await prepare(window.page);
    const begun = Date.now();
    await window.page.goto(`${base}${path}`);
    await window.tab("WhoAmI").waitFor();
    await window.page.locator(".graphiql-query-editor .view-line").nth(path === "/graphql" ? 3 : 0).waitFor();
    window.interactive = Date.now() - begun;
    return window;
  }

  tab(name) {
    return this.page.getByRole("tab", { name: new RegExp(`^${name}`) }); // its name goes on: "Close Tab"
  }

  async signIn(name) {
    await this.page.getByRole("button", { name, exact: true }).click();
    await this.isSignedInAs(name);
  }

  async isSignedInAs(name) {
    await this.page.locator(".bar-person", { hasText: name }).waitFor();
  }

  async signOut() {
    await this.page.getByRole("button", { name: "Sign out" }).click();
    await this.page.locator(".bar-sign-in").waitFor();
  }

  async run(name) {
    await this.tab(name).click();
    await this.page.getByRole("button", { name: "Execute query" }).click();
  }

  /** The answer, as it is shown. */
  async answer() {
    return (await this.page.locator(".graphiql-response .view-lines").innerText()).replaceAll("\u00a0", " ");
  }

  async shows(pattern) {
    await until(async () => pattern.test(await this.answer()), `the answer shows ${pattern}`);
  }

  async isLive(events) {
    await this.page.locator(".bar-stream", { hasText: `live · ${events} event` }).waitFor();
  }

  async listen() {
    await this.run("WatchStatusChanges");
    await this.isLive(0);
  }

  async close() {
    assert.deepEqual(this.complaints, []);
    assert.deepEqual(this.foreign, []);
    await this.page.context().close();
  }
}

/** Another client that moves its task to and fro; it signs in each time, because tokens are short-lived here. */
async function mover(base, name) {
  const ask = async (query, input) => (await client(base, name))(query, { input });
  const { createTask } = await ask(ADD, { title: `${name}'s task` });
  let status = "TODO";
  return async () => {
    status = BACK[status];
    await ask(MOVE, { id: createTask.task.id, status });
    return status;
  };
}

/** The scenarios by their titles. */
const SENTENCES = {
  "The first visit has four tabs, and explains how to sign in.": async (browser, base) => {
    const window = await Window.open(browser, base);
    for (const name of ["WhoAmI", "MyTasks", "WatchStatusChanges", "ChangeStatus"]) await window.tab(name).waitFor();
    await window.run("WhoAmI");
    await window.shows(/Not authenticated/);
    await picture(window.page, "graphiql-1-first-visit");
    await window.run("WatchStatusChanges");
    await window.shows(/Sign in to listen/);
    await window.close();
  },

  "One click signs in a demo user, the page shows the user, and queries run as this user.": async (browser, base) => {
    const window = await Window.open(browser, base);
    await window.signIn("moderator");
    await window.run("WhoAmI");
    await window.shows(/"username": "moderator"[^]*"role": "MODERATOR"/);
    await window.run("MyTasks");
    await window.shows(/"totalCount": \d+/);
    await picture(window.page, "graphiql-2-signed-in");
    await window.close();
  },

  "A name and a password sign in, and a wrong password shows a message.": async (browser, base) => {
    const window = await Window.open(browser, base);
    await window.page.getByLabel("Username").fill(USER.username);
    await window.page.getByLabel("Password").fill("wrong");
    await window.page.getByRole("button", { name: "Sign in", exact: true }).click();
    await window.page.locator(".bar-problem", { hasText: "username or password" }).waitFor();
    await window.page.getByLabel("Password").fill(USER.password);
    await window.page.keyboard.press("Enter");
    await window.isSignedInAs(USER.username);
    await window.close();
  },

  "The tab that changes a status contains an own task, and works unchanged.": async (browser, base) => {
    const window = await Window.open(browser, base);
    await window.signIn("alice");
    await window.tab("ChangeStatus").click();
    await until(() => window.page.locator(".graphiql-editor-tool", { hasText: "VGFz" }).isVisible(), "a task is named");
    await window.run("ChangeStatus");
    await window.shows(/"status": "(IN_PROGRESS|DONE)"[^]*"userErrors": \[\]/);
    await window.close();
  },

  "A subscription receives a change of another client.": async (browser, base) => {
    const move = await mover(base, "admin");
    const window = await Window.open(browser, base);
    await window.signIn("admin");
    await window.listen();
    const status = await move();
    await window.shows(new RegExp(`"title": "admin's task"[^]*"to": "${status}"`));
    await window.isLive(1);
    await picture(window.page, "graphiql-3-live");
    await window.close();
  },

  "A subscription reconnects, and receives the missed changes.": async (browser, base) => {
    const move = await mover(base, "admin");
    const context = await browser.newContext();
    const sockets = [];
    const window = await Window.in(context, base, (page) =>
      page.routeWebSocket(/\/graphql$/, (socket) => {
        const server = socket.connectToServer();
        sockets.push(() => Promise.all([socket.close({ code: 1012 }), server.close()]));
      }));
    await window.signIn("admin");
    await window.listen();
    await move();
    await window.isLive(1);
    await sockets[0]();
    for (let moves = 0; moves < 3; moves++) await move();
    await window.isLive(4);
    assert.ok(sockets.length > 1);
    await window.close();
  },

  "The events of a subscription stay in the log when another tab is opened, until they are cleared.": async (browser, base) => {
    const move = await mover(base, "admin");
    const window = await Window.open(browser, base);
    await window.signIn("admin");
    await window.listen();
    const moves = [await move(), await move()];
    await window.isLive(2);
    await window.run("WhoAmI");
    await window.page.locator(".bar-stream").waitFor({ state: "detached" });
    await window.page.getByRole("button", { name: "Event log (2)" }).click();
    const log = window.page.getByRole("region", { name: "Events" });
    const entries = log.locator("li", { hasText: "TaskStatusChanged" });
    assert.equal(await entries.count(), 2);
    await entries.first().locator("summary").click();
    await log.getByText(`"to": "${moves[1]}"`).waitFor();
    await picture(window.page, "graphiql-7-events");
    await log.getByRole("button", { name: "Clear" }).click();
    assert.equal(await log.locator("li").count(), 0);
    await window.close();
  },

  "A link opens an operation in a new tab on any visit, and does not run it.": async (browser, base) => {
    const query = "query Linked($first: Int!) { tasks(first: $first) { nodes { title } } }";
    const link = `/graphql?${new URLSearchParams({ query, variables: '{"first":3}' })}`;
    const context = await browser.newContext();
    const ran = [];
    for (const visit of ["first", "second"]) {
      const window = await Window.in(context, base, (page) => page.on("request", (request) => ran.push(request.postData())), link);
      assert.equal(await window.tab("Linked").getAttribute("aria-selected"), "true", visit);
      assert.equal(await window.tab("Linked").count(), 1, visit);
      if (visit === "first") await window.signIn("alice");
      else await window.isSignedInAs("alice");
      assert.ok(!ran.some((body) => body?.includes("Linked")));
      if (visit === "second") {
        await window.run("Linked");
        await window.shows(/"nodes": \[/);
        assert.deepEqual(window.complaints, []);
        await context.close();
      } else await window.page.waitForFunction(() => localStorage.getItem("graphiql:tabState")?.includes("Linked"));
    }
  },

  "Share copies a link to the operation and its variables, without passwords, and puts it into the address.": async (browser, base) => {
    const window = await Window.open(browser, base, { permissions: ["clipboard-read", "clipboard-write"] });
    await window.tab("MyTasks").click();
    await window.page.getByRole("button", { name: /^Share/ }).click();
    await window.page.getByText("The link is copied.").waitFor();
    const link = new URL(await window.page.evaluate(() => navigator.clipboard.readText()));
    assert.equal(link.href, window.page.url());
    assert.match(link.searchParams.get("query"), /query MyTasks/);
    assert.equal(JSON.parse(link.searchParams.get("variables")).first, 10);
    const secret = new URLSearchParams({ query: "query A { __typename }", variables: '{"input":{"password":"hunter2","name":"x"}}' });
    await window.page.goto(`${base}/graphql?${secret}`);
    await window.tab("A").waitFor();
    await window.page.getByRole("button", { name: /^Share/ }).click();
    await window.page.getByText("The link is copied.").waitFor();
    const shared = new URL(await window.page.evaluate(() => navigator.clipboard.readText()));
    assert.deepEqual(JSON.parse(shared.searchParams.get("variables")), { input: { password: "", name: "x" } });
    await window.close();
  },

  "At 200 % zoom, the text and the tools of the editor are visible, and the response is below.": async (browser, base) => {
    for (const viewport of [{ width: 640, height: 400 }, { width: 1280, height: 400 }]) {
      const window = await Window.open(browser, base, { viewport });
      await window.signIn("alice");
      await window.run("MyTasks");
      await window.shows(/"totalCount": \d+/);
      const [editor, tools, response] = await Promise.all(
        [".graphiql-query-editor", ".graphiql-toolbar", ".graphiql-response"].map((part) => window.page.locator(part).boundingBox()));
      assert.ok(tools.y + tools.height <= editor.y + editor.height + 1, "the tools are within the editor");
      assert.ok(response.height > 150);
      await window.page.locator(".graphiql-response").scrollIntoViewIfNeeded();
      assert.equal(await window.page.evaluate(() => document.documentElement.scrollWidth), viewport.width);
      await picture(window.page, `graphiql-zoomed-${viewport.width}`);
      await window.close();
    }
  },

  "On a phone, editors and response are below each other, and panels cover them.": async (browser, base) => {
    const window = await Window.open(browser, base, { viewport: { width: 390, height: 844 } });
    await window.signIn("alice");
    await window.run("MyTasks");
    await window.shows(/"totalCount": \d+/);
    const [editors, response] = await Promise.all(
      [".graphiql-editors", ".graphiql-response"].map((part) => window.page.locator(part).boundingBox()));
    assert.ok(editors.width > 330 && response.width > 330, "both use the width");
    assert.ok(response.y >= editors.y + editors.height - 1, "one is below the other");
    assert.ok(response.height > 150);
    assert.equal(await window.page.evaluate(() => document.documentElement.scrollWidth), 390);
    await picture(window.page, "graphiql-8-phone");
    await window.page.getByRole("button", { name: "Show Documentation Explorer" }).click();
    const panel = await window.page.locator(".graphiql-plugin").boundingBox();
    assert.ok(panel.width > 380);
    await picture(window.page, "graphiql-9-phone-docs");
    await window.page.getByRole("button", { name: "Hide Documentation Explorer" }).click();
    await window.close();
  },

  "Signing out ends the stream in every tab.": async (browser, base) => {
    const window = await Window.open(browser, base);
    await window.signIn("alice");
    const second = await Window.in(window.page.context(), base);
    await second.isSignedInAs("alice");
    await second.listen();
    await window.signOut();
    await second.page.locator(".bar-sign-in").waitFor();
    await second.shows(/You have signed out/);
    assert.equal(await second.page.locator(".bar-stream").count(), 0);
    await second.run("WhoAmI");
    await second.shows(/Not authenticated/);
    await second.page.reload();
    await second.page.locator(".bar-sign-in").waitFor();
    await second.close();
  },

  "After a reload the user is signed in, and the tabs are unchanged.": async (browser, base) => {
    const window = await Window.open(browser, base);
    await window.signIn("bob");
    await window.tab("MyTasks").click();
    await window.page.waitForTimeout(800); // GraphiQL keeps tabs half a second after the last change
    await window.page.reload();
    await window.isSignedInAs("bob");
    assert.equal(await window.tab("MyTasks").getAttribute("aria-selected"), "true");
    await window.close();
  },

  "The documentation shows descriptions and permissions.": async (browser, base) => {
    const window = await Window.open(browser, base, { colorScheme: "dark" });
    const docs = window.page.locator(".graphiql-doc-explorer");
    await window.page.getByRole("button", { name: "Show Documentation Explorer" }).click();
    for (const [type, field, permission, words] of [
      ["Query", "users", "@admin", "All users in pages, newest first"],
      ["Mutation", "login", "@public", "Sign in with username and password"],
      ["Subscription", "taskStatusChanged", "@signedIn", "Receive changes of the status of tasks, live"],
    ]) {
      await docs.getByRole("link", { name: type, exact: true }).click();
      await docs.getByRole("link", { name: field, exact: true }).click();
      await docs.getByText(words).waitFor();
      await docs.getByText(permission, { exact: true }).waitFor();
      if (type === "Subscription") await picture(window.page, "graphiql-4-docs-dark");
      for (const name of [type, "Docs"]) await docs.getByRole("link", { name: `Go back to ${name}` }).click();
    }
    await window.close();
  },

  "The page and its bar follow the colour scheme.": async (browser, base) => {
    const light = {}, dark = {};
    for (const [colorScheme, seen] of Object.entries({ light, dark })) {
      const window = await Window.open(browser, base, { colorScheme });
      await window.signIn("alice");
      await window.run("MyTasks");
      await window.shows(/"totalCount"/);
      for (const part of [".bar", ".graphiql-editors"]) seen[part] = await brightness(window.page.locator(part));
      await picture(window.page, `graphiql-5-${colorScheme}`);
      await window.close();
    }
    for (const part of [".bar", ".graphiql-editors"]) assert.ok(dark[part] < 0.3 && light[part] > 0.9, part);
  },

  "The bar fits every window, and links to the other pages.": async (browser, base) => {
    const window = await Window.open(browser, base);
    const button = window.page.getByRole("button", { name: "Sign in", exact: true });
    for (const width of [1440, 1200, 1050, 800, 500, 390]) {
      await window.page.setViewportSize({ width, height: 700 });
      const { x, width: own } = await button.boundingBox();
      assert.ok(x + own <= width, `at ${width} pixels`);
      if (width === 800) await picture(window.page, "graphiql-6-small");
    }
    for (const [name, path] of [["Board", "/board"], ["REST API", "/docs"], ["Taskriver GraphQL", "/"]])
      assert.equal(await window.page.getByRole("link", { name, exact: true }).getAttribute("href"), path);
    await window.close();
  },
};

test("GraphiQL", (t) => onStage(async (browser, base) => {
  const early = await EarlyBird.begin(browser, base);
  for (const [sentence, holds] of Object.entries(SENTENCES)) await t.test(sentence, () => holds(browser, base));
  await t.test("A token that expires is replaced by itself, and the stream goes on.", () => early.isStillThere());
}, SETTINGS));

/** A subscription from the start, checked at the end: meanwhile the token expires. */
class EarlyBird {
  static async begin(browser, base) {
    const bird = new EarlyBird();
    bird.move = await mover(base, "bob");
    bird.window = await Window.open(browser, base);
    bird.tokens = [];
    bird.window.page.on("response", async (response) => {
      if (!response.request().postData()?.includes("StaySignedIn")) return;
      const { data } = await response.json();
      if (data.signedIn.accessToken) bird.tokens.push(data.signedIn.accessToken);
    });
    await bird.window.signIn("bob");
    await bird.window.listen();
    bird.expired = Date.now() + LONGEST_TOKEN;
    return bird;
  }

  async isStillThere() {
    const { window, expired } = this;
    await until(() => Date.now() > expired, "the first token expired", LONGEST_TOKEN);
    await until(() => this.tokens.length > 0, "the token was refreshed");
    await window.page.locator(".bar-stream", { hasText: "live" }).waitFor();
    const status = await this.move();
    await window.shows(new RegExp(`"title": "bob's task"[^]*"to": "${status}"`));
    await window.run("WhoAmI");
    await window.shows(/"username": "bob"/);
    await window.close();
  }
}

/** How bright the background is, from 0 to 1. */
async function brightness(locator) {
  const colour = await locator.evaluate((element) => getComputedStyle(element).backgroundColor);
  const channels = colour.match(/[\d.]+/g).slice(0, 3).map(Number);
  return channels.reduce((sum, each) => sum + each, 0) / 3 / 255;
}
