// The focus after each action: on something that can be used next, and not on the body.
import assert from "node:assert/strict";
import { until } from "../stage.mjs";
import { newUser } from "./people.mjs";
import { Window } from "./window.mjs";

/** What has the focus, after dialogs are closed and everything that follows is drawn. */
async function settled({ page, dialog }) {
  await dialog.waitFor({ state: "detached" });
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  return page.evaluate(() => {
    const element = document.activeElement;
    if (element === document.body) return "body";
    return element.closest(".card")?.querySelector(".title").textContent ?? element.getAttribute("aria-label") ?? element.innerText;
  });
}

/** A window with the cards "One" (above), "Two" and "Three". */
async function threeCards(stage, options) {
  const person = await newUser(stage.base);
  const ids = {};
  for (const title of ["Three", "Two", "One"]) ids[title] = (await person.create({ title })).id;
  const window = await Window.open(stage, person, options);
  return { person, ids, window, page: window.page, dialog: window.dialog };
}

async function open(window, title) {
  await window.focus(title);
  await window.page.keyboard.press("Enter");
  await window.dialog.waitFor();
}

/** Save, by key and by button, leads back to the card; so do Escape and the button that closes. */
export async function returnsToTheCardAfterSave(stage) {
  const { window, page, dialog } = await threeCards(stage);
  const leave = {
    enter: async () => {
      await dialog.getByLabel("Title").fill("Two by enter");
      await until(() => dialog.getByRole("button", { name: "Save" }).isEnabled(), "the form can be saved");
      await page.keyboard.press("Enter");
    },
    save: async () => {
      await dialog.getByLabel("Title").fill("Two by save");
      await dialog.getByRole("button", { name: "Save" }).click();
    },
    escape: () => page.keyboard.press("Escape"),
    close: () => dialog.getByRole("button", { name: "Close" }).click(),
  };
  let title = "Two";
  for (const [name, way] of Object.entries(leave)) {
    await open(window, title);
    await way();
    if (name === "enter" || name === "save") title = `Two by ${name}`;
    assert.equal(await settled(window), title, name);
  }
}

/** Create leads back to the button, or to the board if a key opened the form; so does Escape. */
export async function returnsToTheOpenerAfterCreate(stage) {
  const { window, page, dialog } = await threeCards(stage);
  const create = page.getByRole("button", { name: "New task" });
  await create.press("Enter");
  await dialog.getByLabel("Title").fill("By the button");
  await dialog.getByRole("button", { name: "Create" }).click();
  await window.cardIn("TODO", "By the button");
  assert.match(await settled(window), /New task/);
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("n");
  await dialog.getByLabel("Title").fill("By the key");
  await page.keyboard.press("Enter");
  await window.cardIn("TODO", "By the key");
  assert.equal(await settled(window), "Board");
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("n");
  await page.keyboard.press("Escape");
  assert.equal(await settled(window), "Board");
}

/** After Delete the next card of the column has the focus; after the last one, the board. */
export async function goesToTheNextCardAfterDelete(stage) {
  const { window, dialog } = await threeCards(stage);
  const remove = async (title) => {
    await open(window, title);
    await dialog.getByRole("button", { name: "Delete" }).click();
    await window.answer("Delete");
    await window.page.locator("[role=status]", { hasText: `Deleted “${title}”.` }).waitFor({ state: "attached" });
    return settled(window);
  };
  assert.equal(await remove("Two"), "Three");
  assert.equal(await remove("Three"), "One");
  assert.equal(await remove("One"), "Board");
}

/** A card with the focus that another user deletes gives it to the next card. */
export async function goesToTheNextCardAfterDeletionByOthers(stage) {
  const { person, ids, window, page } = await threeCards(stage);
  await window.focus("One");
  await person.remove(ids["One"]);
  await window.card("One").waitFor({ state: "detached" });
  assert.equal(await settled(window), "Two");
  await page.getByRole("button", { name: /Move “Two”/ }).focus();
  await person.remove(ids["Two"]);
  await window.card("Two").waitFor({ state: "detached" });
  assert.equal(await settled(window), "Three");
  await person.remove(ids["Three"]);
  await window.card("Three").waitFor({ state: "detached" });
  assert.equal(await settled(window), "Board");
}

/** A task that is deleted while its form is open: the focus stays in the dialog, and goes to the board then. */
export async function hasNoOpenerToReturnTo(stage) {
  const { person, ids, window, page, dialog } = await threeCards(stage);
  await open(window, "Two");
  await person.remove(ids["Two"]);
  await dialog.getByText("It was deleted").waitFor();
  assert.equal(await page.evaluate(() => document.querySelector("dialog").contains(document.activeElement)), true);
  await page.keyboard.press("Escape");
  assert.equal(await settled(window), "Board");
  await page.getByRole("button", { name: "New task" }).press("Enter");
  await page.evaluate(() => [...document.querySelectorAll("header button")].find((each) => each.innerText.includes("New task")).remove());
  await page.keyboard.press("Escape");
  assert.equal(await settled(window), "Board");
}

/** Each dialog of the menu of boards leads back to the menu's button. */
export async function returnsToTheMenuOfBoards(stage) {
  const person = await newUser(stage.base);
  const [, key] = await person.createProject("FOC");
  const window = await Window.open(stage, person, { query: `?project=${key}` });
  for (const name of ["Members", "Labels", "Settings", "Trash", "New project"]) {
    await window.board(name, "menuitem");
    await window.dialog.waitFor();
    await window.page.keyboard.press("Escape");
    assert.match(await settled(window), /^Board: /, name);
  }
}

/** A menu leads back to what opened it, a move to the moved card, and so do the buttons of a notice. */
export async function staysOnACardThatMoves(stage) {
  const { window, page } = await threeCards(stage);
  await window.focus("Two");
  await page.keyboard.press("m");
  await page.getByRole("menuitemradio", { name: "In progress" }).click();
  await window.cardIn("IN_PROGRESS", "Two");
  assert.equal(await settled(window), "Two");
  await page.keyboard.press("m");
  await page.getByRole("menu").waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await settled(window), "Two");
  await page.getByRole("button", { name: "Undo" }).press("Enter");
  await window.cardIn("TODO", "Two");
  assert.equal(await settled(window), "Two");
  await page.keyboard.press("z");
  await page.getByText("There is no move to undo.").first().waitFor();
  await page.keyboard.press("Shift+ArrowRight");
  await page.getByRole("button", { name: "Dismiss" }).press("Enter");
  assert.equal(await settled(window), "Two");
}
