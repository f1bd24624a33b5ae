import assert from "node:assert/strict";
import { picture, until } from "../stage.mjs";
import { complains } from "../axe.mjs";
import { known, newUser } from "./people.mjs";
import { Window } from "./window.mjs";

/** Search and filters hide other tasks, show the number of all, and apply to live changes. */
export async function searchesAndFilters(stage) {
  const person = await newUser(stage.base);
  const me = await person.me();
  await person.create({ title: "Sail to the island", priority: "HIGH" });
  await person.create({ title: "Mend the net", description: "before we sail", assigneeId: me.id });
  await person.create({ title: "Sell the fish" });
  const window = await Window.open(stage, person);
  const { page } = window;
  const titles = () => [...document.querySelectorAll(".title")].map((each) => each.textContent);
  // The page draws when the browser has time, and so a moment later.
  const shows = (...wanted) =>
    until(async () => `${(await page.evaluate(titles)).sort()}` === `${wanted}`, `${wanted} are shown`);
  await page.keyboard.press("/");
  await page.keyboard.type("SAIL");
  await page.getByText("2 of 3", { exact: true }).waitFor();
  await shows("Mend the net", "Sail to the island");
  await person.create({ title: "Sail home" });
  await window.cardIn("TODO", "Sail home");
  await person.create({ title: "Sleep" });
  await page.getByText("3 of 5", { exact: true }).waitFor();
  await page.getByLabel("Priority").selectOption("High");
  await shows("Sail to the island");
  await page.getByRole("button", { name: "Show all" }).click();
  await page.getByLabel("Whose").selectOption("Assigned to me");
  await shows("Mend the net");
  await page.getByRole("button", { name: "Show all" }).click();
  await page.getByLabel("Order").selectOption("Most urgent first");
  await until(async () => (await page.evaluate(titles))[0] === "Sail to the island", "the most urgent is the first");
}

/** On a phone one column fills the screen, the others are one tap away, and nothing overflows. */
export async function fitsAPhone(stage) {
  const person = await known(stage.base, "bob");
  const window = await Window.open(stage, person, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  const { page } = window;
  await page.locator(".card").first().waitFor();
  await picture(page, "board-6-phone");
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "It is wider than the screen.");
  await page.getByRole("navigation", { name: "Columns" }).getByRole("button", { name: /Done/ }).tap();
  await page.waitForFunction(() => {
    const { left, right } = document.querySelector("[data-status=DONE]").getBoundingClientRect();
    return left >= 0 && right <= innerWidth;
  });
  // Others are read-only: bob is a viewer of their project, or it is archived.
  const card = window.column("DONE").locator(".card").filter({ has: page.getByRole("button", { name: "Move" }) }).first();
  const title = await card.locator(".title").textContent();
  await card.getByRole("button", { name: "Move" }).tap();
  await page.getByRole("menuitemradio", { name: "To do" }).tap();
  await window.cardIn("TODO", title);
  await picture(page, "board-7-phone-done");
  await window.card(title).locator(".open").tap();
  await page.getByRole("dialog", { name: title }).waitFor();
  await picture(page, "board-8-phone-task");
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "The sheet is too wide.");
}

/** On a phone and at 200 % zoom most of the screen is for the cards; search, filters and the rest are one click away. */
export async function leavesRoomForTheCards(stage) {
  const person = await newUser(stage.base);
  for (const n of [1, 2, 3, 4, 5]) await person.create({ title: `Card number ${n}` });
  for (const [width, height, share] of [[390, 844, 0.8], [640, 400, 0.7]]) {
    const window = await Window.open(stage, person, { viewport: { width, height } });
    const { page } = window;
    await window.cardIn("TODO", "Card number 1");
    const room = await page.locator(".columns").evaluate((columns) => columns.clientHeight / innerHeight);
    assert.ok(room >= share, `The cards have ${room.toFixed(2)} of ${width} × ${height}.`);
    assert.equal(await page.getByRole("searchbox").isVisible(), false);
    await picture(page, `board-room-${width}`);
    await page.getByRole("button", { name: "Filter" }).click();
    await page.getByRole("searchbox").fill("number 3");
    await page.getByRole("button", { name: "Sign out" }).waitFor();
    await page.getByRole("banner").getByRole("link", { name: "GraphiQL" }).waitFor();
    await picture(page, `board-room-${width}-expanded`);
    await page.getByRole("button", { name: "Filtered" }).click();
    await page.getByRole("searchbox").waitFor({ state: "hidden" });
    assert.equal(await window.column("TODO").locator(".card").count(), 1);
    await page.locator("body").press("/");
    await page.keyboard.type("x");
    assert.equal(await page.getByRole("searchbox").inputValue(), "number 3x");
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "It is wider than the screen.");
  }
}

/** axe finds no violations, in both colour schemes, with and without a dialog; all elements have names. */
export async function speaksToScreenReaders(stage) {
  const person = await newUser(stage.base);
  await person.create({ title: "Name me", priority: "URGENT", assigneeId: (await person.me()).id, dueAt: "2020-01-01T00:00:00Z" });
  for (const colorScheme of ["light", "dark"]) {
    const page = await stage.page({ colorScheme });
    await page.goto(`${stage.base}/board`);
    await page.getByLabel("Username").waitFor();
    await complains(page, `sign-in, ${colorScheme}`);
    const window = await Window.open(stage, person, { colorScheme });
    await window.cardIn("TODO", "Name me");
    await complains(window.page, `board, ${colorScheme}`);
    await window.card("Name me").click();
    await window.page.getByText("created it").waitFor();
    await complains(window.page, `sheet, ${colorScheme}`);
    await window.page.keyboard.press("Escape");
    await window.page.getByRole("button", { name: "Move “Name me”" }).click();
    await complains(window.page, `menu, ${colorScheme}`);
    await window.page.keyboard.press("Escape");
    await complainsOfDialogs(window, person, colorScheme);
    await window.page.getByRole("region", { name: "To do: 1 task" }).waitFor();
    await window.page
      .getByRole("button", { name: new RegExp(`^Name me\\s*Urgent\\s*overdue since .*assigned to ${person.username}$`) })
      .waitFor();
  }
}

/** Less frequent forms, questions and notices. */
async function complainsOfDialogs(window, person, colorScheme) {
  const { page, dialog } = window;
  const looks = (where) => complains(page, `${where}, ${colorScheme}`);
  await page.getByRole("button", { name: "Details" }).click();
  await looks("details");
  await page.keyboard.press("?");
  await dialog.waitFor();
  await looks("shortcuts");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "New task" }).click();
  await dialog.getByLabel("Title").fill("Not saved");
  await looks("new task");
  await page.keyboard.press("Escape");
  await window.question.waitFor();
  await looks("question");
  await window.answer("Discard");
  await dialog.waitFor({ state: "detached" });
  const { id } = await person.create({ title: "Ours" });
  await window.card("Ours").click();
  await dialog.getByLabel("Title").fill("Mine");
  await person.update(id, { title: "Theirs" });
  await dialog.getByRole("region", { name: "Conflicts" }).waitFor();
  await looks("conflict");
  await person.remove(id);
  await page.getByRole("dialog", { name: "Task not found" }).waitFor();
  await looks("not found");
  await page.keyboard.press("Escape");
  await window.answer("Discard");
  await dialog.waitFor({ state: "detached" });
  await person.create({ title: "Move me" });
  await window.focus("Move me");
  await page.keyboard.press("Shift+ArrowRight");
  await page.getByRole("button", { name: "Undo" }).waitFor();
  await looks("undo");
  await page.keyboard.press("z");
  await window.cardIn("TODO", "Move me");
  await person.remove((await person.list()).find(({ title }) => title === "Move me").id);
  await window.card("Move me").waitFor({ state: "detached" });
}
