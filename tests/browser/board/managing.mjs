// What managers do with projects.
import assert from "node:assert/strict";
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

const field = ({ dialog }, name) => dialog.getByLabel(name, { exact: true });

async function boardHasFocus({ page }) {
  await page.waitForFunction(() => document.activeElement.matches("button.project"));
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
