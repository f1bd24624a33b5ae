// Forms: what two people write at the same time, and what must not be lost.
import assert from "node:assert/strict";
import { picture, until } from "../stage.mjs";
import { newUser } from "./people.mjs";
import { Window } from "./window.mjs";

/** A user with the open form of an own task. */
async function editing(stage, fields, options) {
  const person = await newUser(stage.base);
  const { id } = await person.create(fields);
  const window = await Window.open(stage, person, options);
  await window.card(fields.title).click();
  return { person, id, window, page: window.page, dialog: window.dialog };
}

async function stored(person) {
  return (await person.ask("{ tasks { nodes { title description priority } } }")).tasks.nodes;
}

/** The inputs of the changes that the page sends. */
function sentBy(page) {
  const inputs = [];
  page.on("request", (request) => {
    if (/mutation UpdateTask\(/.test(request.postData() ?? "")) inputs.push(request.postDataJSON().variables.input);
  });
  return inputs;
}

/** A field that only another user changed is updated; one that only the writer changed stays; both are saved. */
export async function mergesDifferentFields(stage) {
  const { person, id, window, page, dialog } = await editing(stage, { title: "Draft" });
  const sent = sentBy(page);
  await dialog.getByLabel("Description").fill("My words");
  await person.update(id, { title: "Final" });
  await until(async () => (await dialog.getByLabel("Title").inputValue()) === "Final", "the title follows");
  assert.equal(await dialog.getByLabel("Description").inputValue(), "My words");
  assert.equal(await dialog.getByRole("region", { name: "Conflicts" }).count(), 0);
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "detached" });
  assert.deepEqual(await stored(person), [{ title: "Final", description: "My words", priority: "MEDIUM" }]);
  assert.deepEqual(sent, [{ id, description: "My words", expectedVersion: 2 }]);
  await window.equalsServer();
}

/** For a field that both changed, both values are shown; the choice concerns that field only. */
export async function asksAboutFieldsThatBothChanged(stage) {
  const { person, id, page, dialog } = await editing(stage, { title: "Draft", priority: "LOW" });
  await dialog.getByLabel("Title").fill("My title");
  await dialog.getByLabel("Description").fill("My words");
  await person.update(id, { title: "Their title", priority: "HIGH" });
  const conflicts = dialog.getByRole("region", { name: "Conflicts" });
  await conflicts.waitFor();
  assert.equal(await conflicts.getByRole("group", { name: "Yours" }).innerText(), "My title");
  assert.equal(await conflicts.getByRole("group", { name: "Theirs" }).innerText(), "Their title");
  assert.equal(await conflicts.locator("fieldset").count(), 1);
  await picture(page, "board-conflict");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByRole("alert").getByText("Choose a value").waitFor();
  assert.equal((await stored(person))[0].title, "Their title");
  await conflicts.getByRole("button", { name: "Use their title" }).click();
  await conflicts.waitFor({ state: "detached" });
  assert.equal(await dialog.getByLabel("Title").inputValue(), "Their title");
  assert.equal(await dialog.getByLabel("Description").inputValue(), "My words");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "detached" });
  assert.deepEqual(await stored(person), [{ title: "Their title", description: "My words", priority: "HIGH" }]);
}

/** Keeping the own value sends only that field, and overwrites no other change. */
export async function keepsMineInOneFieldOnly(stage) {
  const { person, id, page, dialog } = await editing(stage, { title: "Draft" });
  const sent = sentBy(page);
  await dialog.getByLabel("Title").fill("My title");
  await person.update(id, { title: "Their title", description: "Their words" });
  await dialog.getByRole("button", { name: "Keep your title" }).click();
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "detached" });
  assert.deepEqual(sent, [{ id, title: "My title", expectedVersion: 2 }]);
  assert.deepEqual(await stored(person), [{ title: "My title", description: "Their words", priority: "MEDIUM" }]);
}

/** A change that has not been delivered yet is read after the refusal, and merged in the same way. */
export async function mergesUndeliveredChanges(stage) {
  const { person, id, window, page, dialog } = await editing(stage, { title: "Draft" }, { query: "?stop=600" });
  await page.keyboard.press("Escape");
  await window.stop();
  await window.card("Draft").click();
  await dialog.getByLabel("Description").fill("My words");
  await person.update(id, { title: "Final" });
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "detached" });
  assert.deepEqual(await stored(person), [{ title: "Final", description: "My words", priority: "MEDIUM" }]);
}

/** Every way to close the form asks first: Escape, also twice, the button, a click outside, Back. */
export async function asksBeforeTextIsLost(stage) {
  const { window, page, dialog } = await editing(stage, { title: "Draft" });
  const description = dialog.getByLabel("Description");
  await description.fill("Not saved");
  const ways = {
    escape: () => page.keyboard.press("Escape"),
    button: () => dialog.getByRole("button", { name: "Close" }).click(),
    beside: () => page.mouse.click(100, 400),
    back: () => page.evaluate(() => history.back()),
  };
  for (const [name, leave] of Object.entries(ways)) {
    await leave();
    if (name === "escape") await picture(page, "board-discard");
    await window.answer("Keep editing");
    assert.equal(await description.inputValue(), "Not saved", name);
    assert.match(page.url(), /task=/);
  }
  for (let round = 0; round < 6; round++) {
    if (round % 2) await page.evaluate(() => document.activeElement.blur()); // keys go to the body then
    await page.keyboard.press("Escape"); // which is no activation that lets a page keep its dialog open
    await window.question.waitFor();
    await page.keyboard.press("Escape");
    await window.question.waitFor({ state: "detached" });
    assert.equal(await description.inputValue(), "Not saved");
  }
  await page.evaluate(() => history.back());
  await window.answer("Discard");
  await dialog.waitFor({ state: "detached" });
  await window.address({});
  await window.card("Draft").click();
  assert.equal(await description.inputValue(), "");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
}

/** The browser asks before the page is left or the tab closed, if there is unsaved text, and only then. */
export async function asksBeforeThePageIsLeft(stage) {
  const { page, dialog } = await editing(stage, { title: "Draft" });
  const asked = [];
  page.on("dialog", (question) => {
    asked.push(question.type());
    return question.dismiss();
  });
  await dialog.getByLabel("Description").fill("Not saved");
  await page.evaluate(() => location.reload());
  await until(() => asked.length === 1, "the browser asks");
  assert.deepEqual(asked, ["beforeunload"]);
  assert.equal(await dialog.getByLabel("Description").inputValue(), "Not saved");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "detached" });
  await page.reload();
  await page.locator(".card").waitFor();
  assert.deepEqual(asked, ["beforeunload"]);
}

/** The end of a session is reported; the text is kept for its writer, also if another user signs in first. */
export async function keepsTheDraftWhenTheSessionEnds(stage) {
  const { person, window, page, dialog } = await editing(stage, { title: "Draft" });
  const other = await newUser(stage.base);
  await dialog.getByLabel("Description").fill("Written before the end");
  await person.ask("mutation { logoutAll { userErrors { message } } }");
  await page.getByText(`Your unsaved changes are kept: sign in as ${person.username} to go on.`).waitFor();
  await picture(page, "board-session-ended");
  assert.equal(await window.focused(), "password");
  await window.signIn(other);
  await dialog.getByText("It was deleted, or you cannot see it").waitFor();
  assert.equal(await page.getByText("Written before the end").count(), 0);
  assert.equal(await page.locator("textarea").count(), 0);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Sign out" }).click();
  await window.signIn(person);
  await window.card("Draft").click();
  await dialog.getByText("Your unsaved changes were restored.").waitFor();
  assert.equal(await dialog.getByLabel("Description").inputValue(), "Written before the end");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Username").waitFor();
  assert.equal(await page.getByText("Your session has ended").count(), 0);
}

/** After the sign-in the form of a new task is open again, with its text. */
export async function keepsANewTaskWhenTheSessionEnds(stage) {
  const person = await newUser(stage.base);
  const window = await Window.open(stage, person);
  const { page, dialog } = window;
  await page.keyboard.press("n");
  await dialog.getByLabel("Title").fill("Half a thought");
  await person.ask("mutation { logoutAll { userErrors { message } } }");
  await page.getByText("Your session has ended").waitFor();
  await window.signIn();
  assert.equal(await dialog.getByLabel("Title").inputValue(), "Half a thought");
  await dialog.getByRole("button", { name: "Create" }).click();
  await window.cardIn("TODO", "Half a thought");
}

/** When the task is deleted meanwhile, its text can be saved as a new task. */
export async function savesTheTextOfADeletedTask(stage) {
  const { person, id, window, page, dialog } = await editing(stage, { title: "Draft" });
  await dialog.getByLabel("Description").fill("Too good to lose");
  await person.remove(id);
  await dialog.getByText("What you typed is not saved.").waitFor();
  await picture(page, "board-deleted-meanwhile");
  assert.equal(await dialog.getByLabel("Description").inputValue(), "Too good to lose");
  await page.keyboard.press("Escape");
  await window.answer("Keep editing");
  await dialog.getByRole("button", { name: "Create a new task with it" }).click();
  await page.getByRole("dialog", { name: "New task" }).waitFor();
  await dialog.getByRole("button", { name: "Create" }).click();
  await window.cardIn("TODO", "Draft");
  assert.deepEqual(await stored(person), [{ title: "Draft", description: "Too good to lose", priority: "MEDIUM" }]);
}

/** Two clicks in one frame create one task. */
export async function createsOnce(stage) {
  const person = await newUser(stage.base);
  const window = await Window.open(stage, person);
  await window.page.keyboard.press("n");
  await window.dialog.getByLabel("Title").fill("Only one");
  await window.dialog.getByRole("button", { name: "Create" }).evaluate((button) => {
    button.click();
    button.click();
  });
  await window.dialog.waitFor({ state: "detached" });
  assert.equal((await person.list()).length, 1);
}
