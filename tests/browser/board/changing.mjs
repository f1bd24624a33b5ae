import assert from "node:assert/strict";
import { picture, until } from "../stage.mjs";
import { known, newUser } from "./people.mjs";
import { Window } from "./window.mjs";

/** A task is created, assigned, edited and deleted; column counts and history follow. */
export async function createsAssignsEdits(stage) {
  const [person, other] = [await newUser(stage.base), await newUser(stage.base)];
  const window = await Window.open(stage, person);
  const { page } = window;
  await page.keyboard.press("n");
  const sheet = page.getByRole("dialog");
  await sheet.getByLabel("Title").fill("Paint the boat");
  await sheet.getByLabel("Priority").selectOption("Urgent");
  await sheet.getByLabel("Due").fill("2030-05-01T12:00");
  await sheet.getByRole("button", { name: "Create" }).click();
  const card = await window.cardIn("TODO", "Paint the boat");
  assert.match(await card.innerText(), /Urgent[^]*due [^]*2030/);
  assert.deepEqual(await window.counts(), [1, 0, 0, 0]);

  await card.click();
  const people = sheet.getByLabel("Find people");
  if (await people.isVisible().catch(() => false)) await people.fill(other.username);
  await sheet.getByLabel("Assigned to").last().selectOption({ label: other.username });
  await card.getByRole("img", { name: `assigned to ${other.username}` }).waitFor();
  await sheet.getByLabel("Title").fill("Paint the boat blue");
  await sheet.getByRole("button", { name: "Save" }).click();
  await sheet.waitFor({ state: "detached" });
  await window.cardIn("TODO", "Paint the boat blue");

  await window.card("Paint the boat blue").click();
  await sheet.getByText("changed the title").waitFor();
  await picture(page, "board-2-task");
  const entries = await sheet.locator(".history li").allInnerTexts();
  assert.match(entries.join("\n"), /changed the title[^]*assigned it[^]*created it/);
  await sheet.getByRole("button", { name: "Delete" }).click();
  await picture(page, "board-delete");
  await window.answer("Cancel");
  assert.equal((await person.list()).length, 1);
  await sheet.getByRole("button", { name: "Delete" }).click();
  await window.answer("Delete");
  await sheet.waitFor({ state: "detached" });
  await page.locator(".notice", { hasText: "Deleted “Paint the boat blue”." }).waitFor();
  assert.equal(await page.getByText("Task not found").count(), 0);
  assert.deepEqual(await window.counts(), [0, 0, 0, 0]);
  await window.equalsServer();
}

/** Keys select cards, move a card with the focus to the next column, and open the menu. */
export async function movesByKeyboard(stage) {
  const person = await newUser(stage.base);
  for (const title of ["Third", "Second", "First"]) await person.create({ title });
  const window = await Window.open(stage, person);
  const { page } = window;
  const focused = () => page.evaluate(() => document.activeElement.querySelector(".title")?.textContent);
  await window.focus("First");
  await page.keyboard.press("ArrowDown");
  assert.equal(await focused(), "Second");
  await page.keyboard.press("Shift+ArrowRight");
  await window.cardIn("IN_PROGRESS", "Second");
  assert.equal(await focused(), "Second");
  await page.getByRole("status").getByText("Moved “Second” to In progress.").waitFor({ state: "attached" });
  await page.keyboard.press("ArrowLeft");
  assert.equal(await focused(), "First");
  await page.keyboard.press("m");
  await page.getByRole("menuitemradio", { name: "To do" }).waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await window.cardIn("DONE", "First");
  assert.equal(await focused(), "First");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "First" }).waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await focused(), "First");
  await window.equalsServer();
}

/** With Caps Lock, letters arrive as capitals: they are the same keys on the page and on a card. */
export async function acceptsKeysWithCapsLock(stage) {
  const person = await newUser(stage.base);
  await person.create({ title: "In capitals" });
  const window = await Window.open(stage, person);
  const { page } = window;
  const press = (key) => page.evaluate((typed) => document.activeElement.dispatchEvent(
    new KeyboardEvent("keydown", { key: typed, modifierCapsLock: true, bubbles: true, cancelable: true }),
  ), key);
  await window.focus("In capitals");
  await press("M");
  await page.getByRole("menu").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("menu").waitFor({ state: "detached" });
  await press("N");
  await page.getByRole("dialog", { name: "New task" }).waitFor();
}

/** Pages of a history are shown in order and once, also if a page is requested twice and the task changes meanwhile. */
export async function readsHistoryInOrder(stage) {
  const person = await newUser(stage.base);
  const { id } = await person.create({ title: "Title 1" });
  for (let version = 2; version <= 45; version++) await person.update(id, { title: `Title ${version}` });
  const window = await Window.open(stage, person);
  const { page, dialog } = window;
  await window.card("Title 45").click();
  const entries = dialog.locator(".history li");
  const shown = () => entries.locator("time").evaluateAll((times) => times.map((time) => time.getAttribute("datetime")));
  const lines = (count) => page.waitForFunction((expected) => document.querySelectorAll(".history li").length === expected, count);
  const held = [];
  await lines(20);
  await page.route("**/graphql", (route) => {
    if (/query History/.test(route.request().postData() ?? "") && route.request().postDataJSON().variables.after) held.push(route);
    else return route.fallback();
  });
  const earlier = dialog.getByRole("button", { name: "Show earlier changes" });
  await earlier.click();
  await earlier.click();
  await person.update(id, { title: "Title 46" });
  await dialog.getByRole("heading", { name: "Title 46" }).waitFor();
  await entries.first().locator(`time[datetime="${(await history(person, id))[0]}"]`).waitFor();
  await until(() => held.length === 2, "both pages are requested");
  await Promise.all(held.map((route) => route.continue()));
  await page.unroute("**/graphql");
  await lines(20);
  const all = await history(person, id);
  assert.deepEqual(await shown(), all.slice(0, 20));
  await earlier.click();
  await lines(40);
  await earlier.click();
  await lines(46);
  assert.deepEqual(await shown(), all);
}

/** When each change was made, the last one first. */
async function history(person, id) {
  const { task } = await person.ask(`{ task(id: "${id}") { history(first: 100) { nodes { at } } } }`);
  return task.history.nodes.map(({ at }) => at);
}

/** A card that is dragged to another column moves immediately, and then on the server. */
export async function movesByDragging(stage) {
  const person = await newUser(stage.base);
  await person.create({ title: "Drag me" });
  const window = await Window.open(stage, person);
  await window.drag("Drag me", "DONE");
  await window.cardIn("DONE", "Drag me");
  await window.equalsServer();
  assert.equal((await person.list())[0].status, "DONE");
}

/** A refused move is undone, and the reason is announced. */
export async function takesBackWhatIsRefused(stage) {
  const person = await newUser(stage.base);
  const { id } = await person.create({ title: "Behind the times" });
  const window = await Window.open(stage, person, { query: "?stop=600" });
  await window.stop();
  await person.move(id, "CANCELLED"); // which the board does not know yet
  await window.drag("Behind the times", "DONE");
  assert.match(await window.refusal(), /^“Behind the times” is back in To do: Another user changed it meanwhile\./);
  await window.cardIn("TODO", "Behind the times");
}

/** A task of another user is shown as read-only, and cannot be moved. */
export async function leavesOthersTasksAlone(stage) {
  const moderator = await known(stage.base, "moderator");
  const owner = await newUser(stage.base);
  await owner.create({ title: `Not yours ${owner.username}` });
  const window = await Window.open(stage, moderator);
  const title = `Not yours ${owner.username}`;
  await window.page.getByRole("searchbox").fill(title);
  const card = await window.cardIn("TODO", title);
  assert.match(await card.innerText(), /read only/);
  await window.focus(title);
  await window.page.keyboard.press("Shift+ArrowRight");
  assert.match(await window.refusal(), /your own or assigned to you/);
  await window.cardIn("TODO", title);
}

/** A change whose response is lost is sent again, and made once. */
export async function sendsAgainWhatWasNotAnswered(stage) {
  const person = await newUser(stage.base);
  await person.create({ title: "Once" });
  const window = await Window.open(stage, person);
  let lost = 0;
  await window.page.route("**/graphql", async (route) => {
    if (lost || !/mutation MoveTask/.test(route.request().postData() ?? "")) return route.fallback();
    lost++;
    await route.fetch(); // the server has made it
    await route.abort();
  });
  await window.drag("Once", "DONE");
  await window.page.getByRole("status").getByText("Moved “Once” to Done.").waitFor({ state: "attached" });
  assert.equal(lost, 1);
  await window.equalsServer();
  assert.deepEqual((await person.list()).map(({ status, version }) => [status, version]), [["DONE", 2]]);
}

/** A move based on an old version does not overwrite a newer one: it is undone, and the current task is shown. */
export async function noticesConflicts(stage) {
  const person = await newUser(stage.base);
  const { id } = await person.create({ title: "Both of us" });
  const window = await Window.open(stage, person, { query: "?stop=3" });
  await window.stop();
  await person.move(id, "IN_PROGRESS");
  await window.drag("Both of us", "DONE");
  assert.match(await window.refusal(), /Another user changed it meanwhile/);
  await window.cardIn("TODO", "Both of us"); // the state before the conflict
  await window.caughtUp();
  await window.cardIn("IN_PROGRESS", "Both of us");
  await window.equalsServer();
}
