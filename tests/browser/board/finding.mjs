import assert from "node:assert/strict";
import axe from "axe-core";
import { picture, until } from "../stage.mjs";
import { known, somebody } from "./people.mjs";
import { Window } from "./window.mjs";

/** Search and filters leave out the rest at once, say of how many, and hold for what comes live. */
export async function searchesAndFilters(stage) {
  const person = await somebody(stage.base);
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

/** On a phone one column fills the screen, the others are a tap away, and nothing reaches beside it. */
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
  const card = window.column("DONE").locator(".card").first();
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

/** axe finds nothing to complain of, light or dark, with and without a sheet; everything has its name. */
export async function speaksToScreenReaders(stage) {
  const person = await somebody(stage.base);
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
    await window.page.getByRole("region", { name: "To do: 1 task" }).waitFor();
    await window.page
      .getByRole("button", { name: new RegExp(`^Name me\\s*Urgent\\s*overdue since .*assigned to ${person.username}$`) })
      .waitFor();
  }
}

async function complains(page, where) {
  // Under the page's policy a script cannot be put into it, but one can be evaluated by the debugger.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const found = violations.map(({ id, nodes }) => `${where}: ${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
  assert.deepEqual(found, []);
}
