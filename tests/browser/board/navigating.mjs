// The address: what can be reloaded, shared, and gone back to.
import assert from "node:assert/strict";
import { picture, until } from "../stage.mjs";
import { newUser } from "./people.mjs";
import { Window } from "./window.mjs";

/** Opening a task adds a history entry; Back closes it, Forward opens it, a reload keeps it. */
export async function goesBackAndForward(stage) {
  const person = await newUser(stage.base);
  const { id } = await person.create({ title: "Open me" });
  const window = await Window.open(stage, person);
  const { page, dialog } = window;
  const length = () => page.evaluate(() => history.length);
  const before = await length();
  await window.card("Open me").click();
  await window.address({ task: id });
  assert.equal(await length(), before + 1);
  await page.goBack();
  await dialog.waitFor({ state: "detached" });
  await window.address({});
  await page.goForward();
  await page.getByRole("dialog", { name: "Open me" }).waitFor();
  await page.reload();
  await page.getByRole("dialog", { name: "Open me" }).waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await window.address({});
  await page.keyboard.press("n");
  await window.address({ new: "1" });
  await page.goBack();
  await dialog.waitFor({ state: "detached" });
}

/** Search and filters are in the address, without a history entry for each letter. */
export async function keepsFiltersInTheAddress(stage) {
  const person = await newUser(stage.base);
  await person.create({ title: "Sail away", priority: "HIGH" });
  await person.create({ title: "Sail home" });
  const window = await Window.open(stage, person);
  const { page } = window;
  const before = await page.evaluate(() => history.length);
  await page.keyboard.press("/");
  await page.keyboard.type("sail");
  await page.getByLabel("Priority").selectOption("High");
  await page.getByLabel("Order").selectOption("Next due first");
  await window.address({ search: "sail", priority: "high", order: "due" });
  assert.equal(await page.evaluate(() => history.length), before);
  await page.reload();
  await window.phase("Live");
  await window.cardIn("TODO", "Sail away");
  assert.equal(await page.getByRole("searchbox").inputValue(), "sail");
  assert.equal(await page.getByLabel("Priority").inputValue(), "HIGH");
  assert.equal(await window.card("Sail home").count(), 0);
}

/** After the sign-in a signed-out visitor sees the target of the link. */
export async function leadsToTheLinkAfterSigningIn(stage) {
  const person = await newUser(stage.base);
  const { id } = await person.create({ title: "Shared" });
  const page = await stage.page();
  await page.goto(`${stage.base}/board?task=${encodeURIComponent(id)}&whose=owned`);
  await page.getByText("Sign in to open the task.").waitFor();
  const window = new Window(page, person);
  await window.signIn();
  await page.getByRole("dialog", { name: "Shared" }).waitFor();
  await window.address({ task: id, whose: "owned" });
  await page.keyboard.press("Escape");
  await window.address({ whose: "owned" });
  await until(async () => (await window.focused()).startsWith("Shared"), "the focus is on the card");
}

/** For a deleted, hidden or unknown task the page shows a message and the board. */
export async function saysThatATaskIsNotThere(stage) {
  const [person, other] = [await newUser(stage.base), await newUser(stage.base)];
  const hidden = await other.create({ title: "Not for you" });
  const gone = await person.create({ title: "Gone" });
  await person.create({ title: "Still here" });
  await person.remove(gone.id);
  const window = await Window.open(stage, person);
  for (const id of [hidden.id, gone.id, "nonsense", "%00", "x".repeat(3_000)]) {
    await window.page.goto(`${stage.base}/board?task=${encodeURIComponent(id)}`);
    await window.page.getByRole("dialog", { name: "Task not found" }).waitFor();
    await picture(window.page, "board-not-found");
    await window.page.getByRole("button", { name: "Back to the board" }).click();
    await window.address({});
    await window.cardIn("TODO", "Still here");
  }
}

/** When an open task is deleted by another user, a message is shown. */
export async function saysThatAnOpenTaskWasDeleted(stage) {
  const person = await newUser(stage.base);
  const { id } = await person.create({ title: "Soon gone" });
  const window = await Window.open(stage, person);
  await window.card("Soon gone").click();
  await window.page.getByRole("dialog", { name: "Soon gone" }).waitFor();
  await person.remove(id);
  await window.page.getByRole("dialog", { name: "Task not found" }).waitFor();
  await window.page.keyboard.press("Escape");
  await window.dialog.waitFor({ state: "detached" });
}

/** The board links to the other pages of the server, and has an icon. */
export async function linksToTheOtherPages(stage) {
  const window = await Window.open(stage, await newUser(stage.base));
  const { page } = window;
  for (const [name, path] of [["GraphiQL", "/graphql"], ["REST", "/docs"]]) {
    const link = page.getByRole("contentinfo").getByRole("link", { name });
    assert.equal(await link.getAttribute("href"), path);
    assert.equal((await page.request.get(`${stage.base}${path}`, { headers: { accept: "text/html" } })).status(), 200);
  }
  const icon = await page.locator("link[rel=icon]").getAttribute("href");
  assert.equal((await page.request.get(`${stage.base}${icon}`)).status(), 200);
}
