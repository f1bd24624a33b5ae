// The boards of projects: switching between them, their addresses, their labels and subtasks.
import assert from "node:assert/strict";
import { picture } from "../stage.mjs";
import { complains } from "../axe.mjs";
import { newUser } from "./people.mjs";
import { Window } from "./window.mjs";

/** The menu leads from board to board; the address has the keys, and Back leads to the board before. */
export async function switchesProjects(stage) {
  const person = await newUser(stage.base);
  const [web, key] = await person.createProject("WEB"), [, other] = await person.createProject("APP");
  await person.create({ title: "Mine alone" });
  const { id } = await person.create({ title: "Of the team", projectId: web });
  const window = await Window.open(stage, person);
  const { page } = window;
  await window.cardIn("TODO", "Mine alone");
  assert.equal(await window.card("Of the team").locator(".key").innerText(), `${key}-1`);
  await window.board(new RegExp(`^${key} `));
  await window.address({ project: key });
  await window.cardIn("TODO", "Of the team");
  assert.equal(await window.card("Mine alone").count(), 0);
  assert.match(await window.focused(), new RegExp(key));
  await window.card("Of the team").click();
  await window.address({ project: key, task: `${key}-1` });
  await page.goBack();
  await window.address({ project: key });
  await window.board(new RegExp(`^${other} `));
  await window.address({ project: other });
  await window.column("TODO").getByText("No tasks to do.").waitFor();
  await page.goBack();
  await window.cardIn("TODO", "Of the team");
  // The board is live: as the one before the last, too.
  await window.phase("Live");
  await person.update(id, { title: "Of our team" });
  await window.cardIn("TODO", "Of our team");
}

/** An address with keys opens the task, in small letters and with an old key of the project, too; an unknown one says so. */
export async function opensAddressesWithKeys(stage) {
  const person = await newUser(stage.base);
  const [id, old] = await person.createProject("OLD");
  await person.create({ title: "Known by its key", projectId: id });
  const key = `N${old}`;
  await person.ask(
    "mutation ($input: UpdateProjectInput!) { updateProject(input: $input) { userErrors { message } } }", { input: { id, key } },
  );
  const query = `?project=${old.toLowerCase()}&task=${old.toLowerCase()}-1`;
  const window = await Window.open(stage, person, { query });
  await window.page.getByRole("dialog", { name: "Known by its key" }).waitFor();
  await window.address({ project: key, task: `${key}-1` });
  await window.page.goto(`${stage.base}/board?project=NOSUCH`);
  await window.page.getByText("There is no project NOSUCH").waitFor();
  await window.page.getByRole("button", { name: "Show all tasks" }).click();
  await window.cardIn("TODO", "Known by its key");
}

/** An archived project is marked and read-only, also when it is archived while it is open. */
export async function marksArchivedProjects(stage) {
  const person = await newUser(stage.base);
  const [id, key] = await person.createProject("ARC");
  await person.create({ title: "Over soon", projectId: id });
  const window = await Window.open(stage, person, { query: `?project=${key}` });
  const { page } = window;
  await window.cardIn("TODO", "Over soon");
  await person.archive(id);
  await page.getByText("This project is archived").waitFor();
  await window.card("Over soon").getByText("read only").waitFor();
  assert.equal(await page.getByRole("button", { name: /^(New task|Add task to)/ }).count(), 0);
  await page.locator("button.project").click();
  await page.getByRole("menuitemradio", { name: new RegExp(`${key}.*archived`) }).waitFor();
  await page.getByRole("menuitem", { name: "Reopen project" }).click();
  await page.getByRole("button", { name: "Move “Over soon”" }).waitFor();
}

/** A task is created in a column with Enter; Escape closes the field. */
export async function addsTasksToAColumn(stage) {
  const person = await newUser(stage.base);
  const [, key] = await person.createProject("ADD");
  const window = await Window.open(stage, person, { query: `?project=${key}` });
  const { page } = window;
  await page.getByRole("button", { name: "Add task to In progress" }).click();
  await page.keyboard.type("First");
  await page.keyboard.press("Enter");
  await page.keyboard.type("Second");
  await page.keyboard.press("Enter");
  await window.order("IN_PROGRESS", "First", "Second");
  await page.keyboard.press("Escape");
  await page.getByLabel("Title of a new task in In progress").waitFor({ state: "detached" });
  await page.waitForFunction(() => document.activeElement.matches("button.quick-add"));
  await window.equalsCounts();
}

/** A manager creates a label in the task dialog; the card shows it, and a filter finds it, live. */
export async function filtersByLabel(stage) {
  const person = await newUser(stage.base);
  const [id, key] = await person.createProject("LAB");
  await person.create({ title: "Plain", projectId: id });
  await person.create({ title: "Marked", projectId: id });
  const window = await Window.open(stage, person, { query: `?project=${key}` });
  const { page, dialog } = window;
  await window.card("Marked").click();
  await dialog.getByText("Change labels").click();
  await dialog.getByLabel("Name of a new label").fill("Bug");
  await dialog.getByLabel("Color of a new label").fill("#ffcc00");
  await dialog.getByRole("button", { name: "Create", exact: true }).click();
  await dialog.getByRole("checkbox", { name: "Bug", checked: true }).waitFor();
  await page.keyboard.press("Escape");
  await window.card("Marked").locator(".chip", { hasText: "Bug" }).waitFor();
  await page.getByLabel("Label", { exact: true }).selectOption("Bug");
  await window.order("TODO", "Marked");
  const label = new URL(page.url()).searchParams.get("label");
  await person.create({ title: "Marked, too", projectId: id, labelIds: [label] });
  await window.order("TODO", "Marked", "Marked, too");
  await page.reload();
  await window.order("TODO", "Marked", "Marked, too");
  await page.getByRole("button", { name: "Show all" }).click();
  await window.order("TODO", "Plain", "Marked", "Marked, too");
}

/** Subtasks stand in the dialog of their task, and their progress on its card; one can be removed from it. */
export async function dividesATask(stage) {
  const person = await newUser(stage.base);
  const [id, key] = await person.createProject("SUB");
  await person.create({ title: "Build the shed", projectId: id });
  const window = await Window.open(stage, person, { query: `?project=${key}` });
  const { page, dialog } = window;
  await window.card("Build the shed").click();
  for (const title of ["Walls", "Roof"]) {
    await dialog.getByLabel("Title of a new subtask").fill(title);
    await page.keyboard.press("Enter");
    await dialog.getByRole("button", { name: title }).waitFor();
  }
  await dialog.getByLabel("“Walls” is done").check();
  await dialog.getByText("1 of 2 done").waitFor();
  await dialog.getByRole("button", { name: "Roof" }).click();
  await page.getByRole("dialog", { name: "Roof" }).waitFor();
  await dialog.getByRole("button", { name: "Subtask of" }).click();
  await page.getByRole("dialog", { name: "Build the shed" }).waitFor();
  await dialog.getByRole("button", { name: "Roof" }).click();
  await dialog.getByRole("button", { name: "Remove from parent task" }).click();
  await dialog.getByRole("button", { name: "Subtask of" }).waitFor({ state: "detached" });
  await page.keyboard.press("Escape");
  await window.card("Build the shed").getByText("1 of 1 subtasks done").waitFor({ state: "attached" });
  await window.order("TODO", "Build the shed", "Roof");
  await window.order("DONE");
}

/** axe finds nothing on the board of a project and in its dialogs, and nothing overflows on a phone or with zoom. */
export async function suitsEveryone(stage) {
  const person = await newUser(stage.base);
  const [id, key] = await person.createProject("AXE");
  const labelIds = [await person.createLabel(id, "Yellow", "#ffd84d"), await person.createLabel(id, "Grey", "#767676")];
  const task = await person.create({ title: "All at once", projectId: id, labelIds, dueAt: "2020-01-01T00:00:00Z" });
  await person.create({ title: "A part", projectId: id, parentId: task.id });
  await person.comment(task.id, "Said before");
  const removed = await person.create({ title: "Thrown away", projectId: id });
  await person.remove(removed.id);
  for (const colorScheme of ["light", "dark"]) {
    const window = await Window.open(stage, person, { query: `?project=${key}`, colorScheme });
    const { page } = window;
    const looks = async (where) => {
      await complains(page, `${where}, ${colorScheme}`);
      await picture(page, `project-${where.replaceAll(" ", "-")}-${colorScheme}`);
    };
    await window.cardIn("TODO", "All at once");
    await looks("board");
    await page.locator("button.project").click();
    await looks("menu");
    await page.keyboard.press("Escape");
    await window.focus("All at once");
    await page.keyboard.press("x");
    await page.getByRole("region", { name: "Selected tasks" }).waitFor();
    await looks("selection");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Add task to To do" }).click();
    await looks("quick add");
    await page.keyboard.press("Escape");
    await window.card("All at once").click();
    await page.getByText("Said before").waitFor();
    await page.getByText("Change labels").click();
    await looks("task");
    await page.keyboard.press("Escape");
    for (const name of ["Members", "Trash", "New project"]) {
      await window.board(name, "menuitem");
      await window.dialog.waitFor();
      await page.waitForTimeout(300); // until its lists are read
      await looks(name.toLowerCase());
      await page.keyboard.press("Escape");
      await window.dialog.waitFor({ state: "detached" });
    }
    for (const [width, height] of [[360, 740], [640, 400]]) {
      await page.setViewportSize({ width, height });
      const isFitting = () => document.documentElement.scrollWidth <= innerWidth;
      assert.ok(await page.evaluate(isFitting), `The board is wider than ${width} pixels.`);
      await looks(`board ${width}`);
      await window.card("All at once").click();
      await page.getByText("Said before").waitFor();
      const isSheetFitting = () => document.querySelector("dialog").scrollWidth <= innerWidth;
      assert.ok(await page.evaluate(isSheetFitting), `The dialog is wider than ${width} pixels.`);
      await looks(`task ${width}`);
      await page.keyboard.press("Escape");
      await window.dialog.waitFor({ state: "detached" });
    }
  }
}
