// The settings of a project: what it is called, who may change it, and its deletion.
import assert from "node:assert/strict";
import { picture } from "../stage.mjs";
import { complains } from "../axe.mjs";
import { newUser } from "./people.mjs";
import { Window } from "./window.mjs";

/** A project with two managers and one task. */
async function managed(stage, name = "SET") {
  const manager = await newUser(stage.base), other = await newUser(stage.base);
  const [id, key] = await manager.createProject(name);
  await manager.setMember(id, other, "MANAGER");
  const task = await manager.create({ title: "The first", projectId: id });
  return { manager, other, id, key, task, query: `?project=${key}` };
}

async function openSettings(window) {
  await window.board("Settings", "menuitem");
  await window.dialog.getByRole("heading", { name: /^Settings of/ }).waitFor();
}

const field = ({ dialog }, name) => dialog.getByLabel(name, { exact: true });

async function boardHasFocus({ page }) {
  await page.waitForFunction(() => document.activeElement.matches("button.project"));
}

/** A new name and a new key show on every board at once; addresses get the new key, and the old one still leads there. */
export async function renamesAProject(stage) {
  const { manager, other, key, task, query } = await managed(stage);
  const window = await Window.open(stage, manager, { query });
  const live = await Window.open(stage, other, { query: `${query}&task=${key}-1` });
  const { page, dialog } = window;
  await live.page.getByRole("dialog", { name: "The first" }).waitFor();
  await live.dialog.getByLabel("Title", { exact: true }).fill("Typed meanwhile");
  await openSettings(window);
  assert.match(await window.focused(), /name/);
  await field(window, "Name").fill("The shop");
  await field(window, "Key").fill(`n${key.toLowerCase()}`);
  await field(window, "Description").fill("All of it");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "detached" });
  const renamed = `N${key}`;
  await window.address({ project: renamed });
  await boardHasFocus(window);
  await page.locator("button.project", { hasText: "The shop" }).waitFor();
  assert.equal(await window.card("The first").locator(".key").innerText(), `${renamed}-1`);
  // The form of the other person is still open, with what was typed, and the board is live.
  await live.address({ project: renamed, task: `${renamed}-1` });
  assert.equal(await live.dialog.getByLabel("Title", { exact: true }).inputValue(), "Typed meanwhile");
  await live.page.locator(".path .key", { hasText: `${renamed}-1` }).waitFor();
  await live.dialog.getByRole("button", { name: "Save" }).click();
  await window.cardIn("TODO", "Typed meanwhile");
  await manager.update(task.id, { title: "Of the shop" });
  await live.cardIn("TODO", "Of the shop");
  await page.goto(`${stage.base}/board?project=${key}`);
  await window.address({ project: renamed });
  await window.cardIn("TODO", "Of the shop");
}

/** A key that is taken, and texts that are too long, are refused beside their fields. */
export async function saysWhatIsWrongWithSettings(stage) {
  const { manager, query } = await managed(stage);
  const [, taken] = await manager.createProject("TKN");
  const window = await Window.open(stage, manager, { query });
  const { dialog } = window;
  await openSettings(window);
  await field(window, "Key").fill(taken);
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByText(`A project has the key ${taken} or had it; choose another one.`).waitFor();
  assert.equal(await window.focused(), "key");
  assert.equal(await field(window, "Key").getAttribute("aria-invalid"), "true");
  await field(window, "Name").fill("x".repeat(101));
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByText("Name is 101 characters long; the maximum is 100.").waitFor();
}

/** Two change the settings: what only one changed is merged, and for what both changed the writer is asked. */
export async function mergesSettings(stage) {
  const { manager, other, id, query } = await managed(stage);
  const window = await Window.open(stage, manager, { query });
  const { page, dialog } = window;
  await openSettings(window);
  await field(window, "Name").fill("Mine");
  await other.updateProject(id, { description: "Theirs" });
  await page.waitForFunction(() => document.querySelector("[name=description]").value === "Theirs");
  await other.updateProject(id, { name: "Their name" });
  await dialog.getByRole("button", { name: "Keep your name" }).waitFor();
  await dialog.getByRole("button", { name: "Keep your name" }).click();
  assert.equal(await window.focused(), "name");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "detached" });
  await page.locator("button.project", { hasText: "Mine" }).waitFor();
  // The version that the board knows is old while its stream has stopped: it reads the newer one, and merges again.
  await window.stop();
  await other.updateProject(id, { description: "Newer" });
  await openSettings(window);
  await field(window, "Name").fill("Mine again");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "detached" });
  const { project } = await other.ask("query ($id: ID!) { project(id: $id) { name description } }", { id });
  assert.deepEqual(project, { name: "Mine again", description: "Newer" });
}

/** Escape, Back and leaving the page do not lose what was typed; a reload keeps it. */
export async function keepsUnsavedSettings(stage) {
  const { manager, key, query } = await managed(stage);
  const window = await Window.open(stage, manager);
  const { page, dialog } = window;
  await window.board(new RegExp(`^${key} `));
  await window.address({ project: key });
  await openSettings(window);
  await field(window, "Description").fill("A long text");
  await page.keyboard.press("Escape");
  await window.answer("Keep editing");
  await page.goBack();
  await window.answer("Keep editing");
  await window.address({ project: key });
  assert.equal(await field(window, "Description").inputValue(), "A long text");
  page.once("dialog", (asked) => asked.accept());
  await page.goto(`${stage.base}/board${query}`);
  await window.phase("Live");
  await openSettings(window);
  await dialog.getByText("Your unsaved changes were restored.").waitFor();
  assert.equal(await field(window, "Description").inputValue(), "A long text");
  await page.keyboard.press("Escape");
  await window.answer("Discard");
  await dialog.waitFor({ state: "detached" });
  await boardHasFocus(window);
  await openSettings(window);
  assert.equal(await field(window, "Description").inputValue(), "");
}

/** A project with tasks is deleted if its key is typed; an empty one after a question. The boards of others say that it is gone. */
export async function deletesProjects(stage) {
  const { manager, other, key, query } = await managed(stage, "DEL");
  const [, empty] = await manager.createProject("NIL");
  const window = await Window.open(stage, manager, { query }), live = await Window.open(stage, other, { query });
  const { page, dialog } = window;
  await openSettings(live);
  await field(live, "Description").fill("Typed meanwhile");
  await openSettings(window);
  await dialog.getByText("Its 1 task, with comments and labels").waitFor();
  const confirm = dialog.getByLabel(`Type ${key} to confirm`);
  await confirm.fill("NOT");
  await page.keyboard.press("Enter");
  await dialog.getByText(`Type ${key} to delete the project.`).waitFor();
  assert.equal(await window.focused(), "confirmKey");
  await confirm.fill(key.toLowerCase());
  await dialog.getByRole("button", { name: `Delete ${key}` }).click();
  await window.address({});
  await page.locator(".notice", { hasText: `Deleted the project ${key}.` }).waitFor();
  await boardHasFocus(window);
  await live.dialog.getByText("This project was deleted, or you can no longer see it.").waitFor();
  assert.equal(await live.dialog.getByRole("button", { name: /Save|Archive|Delete/ }).count(), 0);
  assert.equal(await field(live, "Description").inputValue(), "Typed meanwhile");
  await live.page.keyboard.press("Escape");
  await live.answer("Discard");
  await live.page.getByText(`There is no project ${key}`).waitFor();

  await window.board(new RegExp(`^${empty} `));
  await window.phase("Live");
  await openSettings(window);
  await dialog.getByRole("button", { name: `Delete ${empty}` }).click();
  assert.match(await window.question.innerText(), /has no tasks.*cannot be undone/s);
  await window.answer("Cancel");
  await dialog.getByRole("button", { name: `Delete ${empty}` }).click();
  await window.answer("Delete");
  await window.address({});
  await boardHasFocus(window);
  await page.locator("button.project").click();
  await page.getByRole("menuitemradio", { name: "All tasks" }).waitFor();
  await page.getByRole("menuitemradio", { name: empty }).waitFor({ state: "detached" });
}

/** The form of a new project says beside the field that its key is taken, and does not lose what was typed. */
export async function keepsTheTextOfANewProject(stage) {
  const { manager, key } = await managed(stage);
  const window = await Window.open(stage, manager);
  const { page, dialog } = window;
  await window.board("New project", "menuitem");
  await field(window, "Name").fill("Another one");
  await field(window, "Key").fill(key);
  await page.keyboard.press("Enter");
  await dialog.getByText(`A project has the key ${key} or had it; choose another one.`).waitFor();
  assert.equal(await window.focused(), "key");
  await page.keyboard.press("Escape");
  await window.answer("Keep editing");
  await field(window, "Key").fill(`A${key}`);
  await page.keyboard.press("Enter");
  await window.address({ project: `A${key}` });
  await boardHasFocus(window);
}

/** Others than managers are offered neither labels nor settings; who loses the role while a dialog is open keeps the text. */
export async function offersOnlyWhatARoleMayDo(stage) {
  const { manager, other, id, query } = await managed(stage);
  const member = await newUser(stage.base), viewer = await newUser(stage.base);
  await manager.setMember(id, member, "MEMBER");
  await manager.setMember(id, viewer, "VIEWER");
  for (const person of [member, viewer]) {
    const { page } = await Window.open(stage, person, { query });
    await page.locator("button.project").click();
    await page.getByRole("menuitem", { name: "Members" }).waitFor();
    assert.equal(await page.getByRole("menuitem", { name: /Labels|Settings|Trash|Archive/ }).count(), 0);
  }
  const window = await Window.open(stage, other, { query });
  const { page, dialog } = window;
  await openSettings(window);
  await field(window, "Description").fill("Typed as a manager");
  await manager.setRole(id, other, "MEMBER");
  await dialog.getByText("You may no longer change this project.").waitFor();
  assert.equal(await field(window, "Description").inputValue(), "Typed as a manager");
  assert.equal(await dialog.getByRole("button", { name: /Save|Archive|Delete/ }).count(), 0);
  await page.keyboard.press("Escape");
  await window.answer("Discard");
  await manager.setRole(id, other, "MANAGER");
  await page.locator("button.project").click();
  await page.getByRole("menuitem", { name: "Labels" }).click();
  await dialog.getByLabel("Name of a new label").waitFor();
  await manager.setRole(id, other, "VIEWER");
  await dialog.getByText("You may no longer change the labels of this project.").waitFor();
  assert.equal(await dialog.getByLabel("Name of a new label").count(), 0);
}

/** An archived project is read-only in its settings, which reopen it; what was typed can then be saved. */
export async function reopensInTheSettings(stage) {
  const { manager, other, id, key, query } = await managed(stage);
  const window = await Window.open(stage, manager, { query });
  const { page, dialog } = window;
  await openSettings(window);
  await field(window, "Name").fill("Renamed");
  await dialog.getByRole("button", { name: `Archive ${key}` }).click();
  await window.answer("Archive");
  await dialog.getByText("The project is archived: reopen it, then save.").waitFor();
  assert.equal(await dialog.getByRole("button", { name: "Save" }).count(), 0);
  await dialog.getByRole("button", { name: `Reopen ${key}` }).click();
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "detached" });
  await page.locator("button.project", { hasText: "Renamed" }).waitFor();
  await other.archive(id);
  await page.getByText("This project is archived").waitFor();
  await page.locator("button.project").click();
  assert.equal(await page.getByRole("menuitem", { name: "Labels" }).count(), 0);
}

/** With keys alone: the menu, the labels, the settings. The focus is back on the menu's button each time. */
export async function managesWithKeys(stage) {
  const { manager, key, query } = await managed(stage);
  const window = await Window.open(stage, manager, { query });
  const { page, dialog } = window;
  const choose = async (name) => {
    await page.locator("button.project").focus();
    await page.keyboard.press("Enter");
    for (let presses = 0; !(await window.focused()).startsWith(name); presses++) {
      assert.ok(presses < 20, `${name} is not reached.`);
      await page.keyboard.press("ArrowDown");
    }
    await page.keyboard.press("Enter");
    await dialog.waitFor();
  };
  await choose("Labels");
  for (let presses = 0; (await window.focused()) !== "name"; presses++) {
    assert.ok(presses < 5, "The name of a new label is not reached.");
    await page.keyboard.press("Tab");
  }
  await page.keyboard.type("By key");
  await page.keyboard.press("Enter");
  await dialog.locator(".chip", { hasText: "By key" }).waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await boardHasFocus(window);
  await choose("Settings");
  assert.equal(await window.focused(), "name");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("Named by key");
  await page.keyboard.press("Enter");
  await dialog.waitFor({ state: "detached" });
  await boardHasFocus(window);
  await page.locator("button.project", { hasText: "Named by key" }).waitFor();
  await window.address({ project: key });
}

/** axe finds nothing in the dialogs of managers, and nothing is wider than a phone or a page with zoom. */
export async function managesOnEveryScreen(stage) {
  const { manager, other, id, query } = await managed(stage);
  const bug = await manager.createLabel(id, "Bug", "#ffd84d");
  await manager.createLabel(id, "A label with a name of forty characters.", "#767676");
  await manager.create({ title: "Marked", projectId: id, labelIds: [bug] });
  await manager.updateProject(id, { name: "The team", description: "A text of some words, as projects have them." });
  for (const colorScheme of ["light", "dark"]) {
    for (const [width, height] of [[1280, 800], [360, 740], [640, 400]]) {
      const window = await Window.open(stage, manager, { query, colorScheme, viewport: { width, height } });
      const { page, dialog } = window;
      const looks = async (where) => {
        const isFitting = () => [document.documentElement, ...document.querySelectorAll("dialog")].every((each) => each.scrollWidth <= innerWidth);
        assert.ok(await page.evaluate(isFitting), `${where} is wider than ${width} pixels.`);
        await complains(page, `${where} ${width}, ${colorScheme}`);
        await picture(page, `managing-${where.replaceAll(" ", "-")}-${width}-${colorScheme}`);
      };
      await page.locator("button.project").click();
      await looks("menu");
      await page.keyboard.press("Escape");
      await window.board("Labels", "menuitem");
      await dialog.getByRole("button", { name: "Edit the label “Bug”" }).waitFor();
      await looks("labels");
      await dialog.getByRole("button", { name: "Edit the label “Bug”" }).click();
      await dialog.getByLabel("Name of “Bug”").fill("a label with a name of forty characters.");
      await page.keyboard.press("Enter");
      await dialog.getByText(/has a label named/).waitFor();
      await looks("label edited");
      await other.updateLabel(bug, { name: "Fault" });
      await dialog.getByRole("button", { name: "Keep your name" }).waitFor();
      await dialog.getByRole("button", { name: "Keep your name" }).scrollIntoViewIfNeeded();
      await looks("label conflict");
      await page.getByLabel("Name of “Bug”").focus();
      await page.keyboard.press("Escape");
      await other.updateLabel(bug, { name: "Bug" });
      await dialog.getByRole("button", { name: "Delete the label “Bug”" }).click();
      await window.question.waitFor();
      await looks("label question");
      await window.answer("Cancel");
      await page.keyboard.press("Escape");
      await dialog.waitFor({ state: "detached" });
      await window.board("Settings", "menuitem");
      await dialog.getByRole("button", { name: "Save" }).waitFor();
      await looks("settings");
      await dialog.getByRole("button", { name: /^Delete / }).click();
      await dialog.getByText(/^Type .* to delete/).waitFor();
      await looks("settings deletion");
      await field(window, "Name").fill("Mine");
      await other.updateProject(id, { name: "Theirs" });
      await dialog.getByRole("button", { name: "Keep your name" }).waitFor();
      await dialog.getByRole("button", { name: "Keep your name" }).scrollIntoViewIfNeeded();
      await looks("settings conflict");
      await other.updateProject(id, { name: "The team" });
      await page.close();
    }
  }
}
