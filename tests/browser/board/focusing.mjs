// Where the focus is, and what the keys do.
import assert from "node:assert/strict";
import { picture, until } from "../stage.mjs";
import { known, newUser } from "./people.mjs";
import { Window } from "./window.mjs";

/** A form has its focus on the title; keys typed right after opening are text. */
export async function beginsAtTheTitle(stage) {
  const person = await newUser(stage.base);
  const window = await Window.open(stage, person);
  const { page, dialog } = window;
  await page.keyboard.press("n");
  await page.keyboard.type(" x y");
  assert.equal(await dialog.getByLabel("Title").inputValue(), " x y");
  await page.keyboard.press("Enter");
  await window.cardIn("TODO", "x y");
  await window.card("x y").click();
  assert.equal(await window.focused(), "title");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await until(async () => (await window.focused()).startsWith("x y"), "the focus is on the card again");
}

/** Closing returns the focus to the opener; a question has its focus on the safe answer. */
export async function givesTheFocusBack(stage) {
  const person = await newUser(stage.base);
  await person.create({ title: "One" });
  const window = await Window.open(stage, person);
  const { page, dialog } = window;
  await page.getByRole("button", { name: "New task" }).press("Enter");
  await dialog.getByLabel("Title").fill("Something");
  await dialog.getByLabel("Description").focus();
  await page.keyboard.press("Escape");
  await window.question.waitFor();
  assert.equal(await window.focused(), "Keep editing");
  await page.keyboard.press("Enter");
  await window.question.waitFor({ state: "detached" });
  await until(async () => (await window.focused()) === "description", "the focus is where the writer was");
  await page.keyboard.press("Escape");
  await window.answer("Discard");
  await until(async () => (await window.focused()) === "New task", "the focus is on the button");
  await page.getByRole("button", { name: /Shortcuts/ }).press("Enter");
  await page.keyboard.press("Escape");
  await until(async () => (await window.focused()).startsWith("Shortcuts"), "the focus is on the button");
}

/** A read-only task has its focus on the heading. */
export async function beginsAtTheHeadingOfWhatIsReadOnly(stage) {
  const [moderator, owner] = [await known(stage.base, "moderator"), await newUser(stage.base)];
  const title = `Read me ${owner.username}`;
  const { id } = await owner.create({ title });
  const window = await Window.open(stage, moderator, { query: `?task=${encodeURIComponent(id)}` });
  await window.page.getByRole("dialog", { name: title }).waitFor();
  assert.equal(await window.focused(), title);
  assert.equal(await window.dialog.getByLabel("Title").isEditable(), false);
}

/** The shortcuts are listed behind a key and behind a button, and do nothing in text fields. */
export async function listsTheShortcuts(stage) {
  const person = await newUser(stage.base);
  const window = await Window.open(stage, person);
  const { page } = window;
  await page.keyboard.press("?");
  const list = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await list.getByText("Undo the last move").waitFor();
  await picture(page, "board-shortcuts");
  await page.keyboard.press("n");
  assert.equal(await page.getByRole("dialog", { name: "New task" }).count(), 0);
  await page.keyboard.press("Escape");
  await list.waitFor({ state: "detached" });
  await page.getByRole("searchbox").fill("?nz");
  assert.equal(await page.getByRole("dialog").count(), 0);
  await page.getByRole("searchbox").fill("");
  await page.getByRole("button", { name: /Shortcuts/ }).click();
  await list.waitFor();
}
