// Moves: only those that exist, and back again.
import assert from "node:assert/strict";
import { picture } from "../stage.mjs";
import { newUser } from "./people.mjs";
import { Window } from "./window.mjs";

/** Menu and form offer only the columns that accept the task; a step with the keys goes to the nearest of them. */
export async function offersOnlyMovesThatExist(stage) {
  const person = await newUser(stage.base);
  const { id } = await person.create({ title: "Given up" });
  await person.move(id, "CANCELLED");
  const window = await Window.open(stage, person);
  const { page } = window;
  await window.focus("Given up");
  await page.keyboard.press("m");
  const offered = await page.getByRole("menuitemradio").allInnerTexts();
  assert.deepEqual(offered.map((text) => text.trim()), ["To do", "Cancelled"]);
  await page.keyboard.press("Escape");
  await window.card("Given up").click();
  assert.deepEqual(await window.dialog.getByLabel("Status").locator("option").allInnerTexts(), ["To do", "Cancelled"]);
  await page.keyboard.press("Escape");
  await window.focus("Given up");
  await page.keyboard.press("Shift+ArrowRight");
  assert.match(await window.refusal(), /From Cancelled there is no move to the right\./);
  await window.focus("Given up");
  await page.keyboard.press("Shift+ArrowLeft");
  await window.cardIn("TODO", "Given up");
}

/** While a card is dragged, columns that do not accept it are marked, and a drop there has no effect. */
export async function refusesADropThatDoesNotExist(stage) {
  const person = await newUser(stage.base);
  const { id } = await person.create({ title: "Finished" });
  await person.move(id, "DONE");
  const window = await Window.open(stage, person);
  const { page } = window;
  const sent = [];
  page.on("request", (request) => /mutation MoveTask/.test(request.postData() ?? "") && sent.push(request));
  const { x, y } = await window.card("Finished").boundingBox();
  const target = await window.column("CANCELLED").boundingBox();
  await page.mouse.move(x + 40, y + 20);
  await page.mouse.down();
  await page.mouse.move(target.x + 50, target.y + 100, { steps: 5 });
  await window.column("CANCELLED").getByText("Cannot be moved here").waitFor();
  assert.equal(await window.column("CANCELLED").getAttribute("data-drop"), "REFUSED");
  assert.equal(await window.column("TODO").getAttribute("data-drop"), "ACCEPTED");
  await picture(page, "board-drag");
  await page.mouse.up();
  await window.column("CANCELLED").getByText("Cannot be moved here").waitFor({ state: "detached" });
  await window.cardIn("DONE", "Finished");
  assert.equal(sent.length, 0);
}

/** A drag that is interrupted, so that the browser reports no end, leaves no mark and moves no card later. */
export async function forgetsAnInterruptedDrag(stage) {
  const person = await newUser(stage.base);
  await person.create({ title: "Interrupted" });
  const window = await Window.open(stage, person);
  const { page } = window;
  const sent = [];
  page.on("request", (request) => /mutation MoveTask/.test(request.postData() ?? "") && sent.push(request));
  const data = await page.evaluateHandle(() => new DataTransfer());
  await window.card("Interrupted").dispatchEvent("dragstart", { dataTransfer: data });
  await page.locator("[data-drop]").first().waitFor();
  await page.mouse.move(5, 5);
  await page.locator("[data-drop]").first().waitFor({ state: "detached" });
  await window.column("DONE").dispatchEvent("drop", { dataTransfer: data });
  await window.cardIn("TODO", "Interrupted");
  assert.equal(sent.length, 0);
}

/** Two fast steps before a redraw are two steps. */
export async function countsEachStep(stage) {
  const person = await newUser(stage.base);
  await person.create({ title: "In a hurry" });
  const window = await Window.open(stage, person);
  await window.focus("In a hurry");
  await window.page.evaluate(() => {
    const press = () => document.activeElement.dispatchEvent(
      new KeyboardEvent("keydown", { key: "ArrowRight", shiftKey: true, bubbles: true, cancelable: true }),
    );
    press();
    press();
  });
  await window.cardIn("DONE", "In a hurry");
  await window.equalsServer();
  assert.equal(await window.page.locator(".notice.refused").count(), 0);
}

/** A move is undone by the button or the key; by two moves if one is not allowed. */
export async function undoesAMove(stage) {
  const person = await newUser(stage.base);
  const { id } = await person.create({ title: "There and back" });
  await person.move(id, "IN_PROGRESS");
  const window = await Window.open(stage, person);
  const { page } = window;
  await window.drag("There and back", "CANCELLED");
  const undo = page.getByRole("button", { name: "Undo" });
  await undo.waitFor();
  await picture(page, "board-undo");
  await undo.click();
  await window.cardIn("IN_PROGRESS", "There and back");
  await page.getByText("Moved “There and back” back to In progress.").first().waitFor();
  await window.equalsServer();
  await window.drag("There and back", "DONE");
  await undo.waitFor();
  await window.focus("There and back");
  await page.keyboard.press("z");
  await window.cardIn("IN_PROGRESS", "There and back");
  await undo.waitFor({ state: "detached" });
  await window.equalsServer();
  await page.getByText("Moved “There and back” back to In progress.").first().waitFor();
  await page.keyboard.press("z");
  await page.getByText("There is no move to undo.").first().waitFor();
}

/** Undoing a move does not undo a later change of another user. */
export async function doesNotUndoOthersChanges(stage) {
  const person = await newUser(stage.base);
  const { id } = await person.create({ title: "Ours" });
  const window = await Window.open(stage, person);
  await window.drag("Ours", "IN_PROGRESS");
  await window.page.getByRole("button", { name: "Undo" }).waitFor();
  await person.update(id, { title: "Ours, renamed" });
  await window.cardIn("IN_PROGRESS", "Ours, renamed");
  await window.page.getByRole("button", { name: "Undo" }).click();
  assert.match(await window.refusal(), /stays in In progress: Another user changed it meanwhile/);
  await window.cardIn("IN_PROGRESS", "Ours, renamed");
}
