import assert from "node:assert/strict";
import { picture, until } from "../stage.mjs";
import { newUser } from "./people.mjs";
import { Window } from "./window.mjs";

/** A wrong password shows the server's message, the right one opens the board, a reload keeps it, signing out ends it. */
export async function signsInAndOut(stage) {
  const person = await newUser(stage.base);
  const page = await stage.page();
  await page.goto(`${stage.base}/board`);
  await picture(page, "board-1-sign-in");
  await page.getByLabel("Username").fill(person.username);
  await page.getByLabel("Password").fill("Wrong-1");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").getByText(/password/i).waitFor();
  await page.getByLabel("Password").fill(person.password);
  await page.keyboard.press("Enter");
  const window = new Window(page, person);
  await window.phase("Live");
  await page.reload();
  await window.phase("Live");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Username").waitFor();
  await page.reload();
  await page.getByLabel("Username").waitFor();
}

/** In development there is a button for each demo user. */
export async function offersTheDemosPeople(stage) {
  const page = await stage.page();
  await page.goto(`${stage.base}/board`);
  await page.getByRole("button", { name: "moderator" }).click();
  await page.locator(".card").first().waitFor();
  assert.match(await page.locator(".who").innerText(), /moderator/);
}

/** The stream is closed before the session ends; after a failure the board is shown again. */
export async function signsOutQuietly(stage) {
  const window = await Window.open(stage, await newUser(stage.base));
  const { page } = window;
  await page.evaluate(() => {
    globalThis.order = [];
    const { close } = WebSocket.prototype, ask = fetch;
    WebSocket.prototype.close = function (...args) {
      order.push("close");
      return close.apply(this, args);
    };
    globalThis.fetch = (url, init) => {
      if (/logout/.test(init?.body ?? "")) order.push("logout");
      return ask(url, init);
    };
    addEventListener("unhandledrejection", () => order.push("rejection"));
  });
  await page.route("**/graphql", (route) => /logout/.test(route.request().postData() ?? "") ? route.abort() : route.fallback());
  await page.getByRole("button", { name: "Sign out" }).click();
  assert.match(await window.refusal(), /You are still signed in\./);
  await window.phase("Live");
  await page.unroute("**/graphql");
  await page.evaluate(() => order.splice(0));
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Username").waitFor();
  assert.deepEqual([...new Set(await page.evaluate(() => order))], ["close", "logout"]);
  assert.equal(await page.getByText("Your session has ended").count(), 0);
}

/** A change that was not answered before its user signs out is not sent as the next user, and not shown to that user. */
export async function sendsNoChangeAsAnotherUser(stage) {
  const [ada, bob] = [await newUser(stage.base), await newUser(stage.base)];
  const { id } = await ada.create({ title: "Of the first user", assigneeId: (await bob.me()).id });
  const page = await stage.page({ viewport: { width: 1280, height: 800 } });
  await page.clock.install();
  await page.goto(`${stage.base}/board`);
  const window = new Window(page, ada);
  await window.signIn();
  const senders = [];
  await page.route("**/graphql", (route) => {
    if (!/mutation MoveTask/.test(route.request().postData() ?? "")) return route.fallback();
    senders.push(route.request().headers()["authorization"]);
    return route.abort();
  });
  await window.drag("Of the first user", "DONE");
  await until(() => senders.length > 0, "the move is sent");
  await page.getByRole("button", { name: "Sign out" }).click();
  await window.signIn(bob);
  // All pauses between attempts are over.
  for (let minute = 0; minute < 3; minute++) await page.clock.runFor(60_000);
  await window.phase("Live");
  await window.cardIn("TODO", "Of the first user");
  assert.equal(new Set(senders).size, 1);
  assert.equal(await page.locator(".pending").count(), 0);
  assert.equal((await bob.ask(`{ task(id: "${id}") { status } }`)).task.status, "TODO");
}
