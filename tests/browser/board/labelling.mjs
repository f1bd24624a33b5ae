// What managers do with the labels of a project, alone and at the same time.
import assert from "node:assert/strict";
import { newUser } from "./people.mjs";
import { Window } from "./window.mjs";

const MOST_LABELS = 200;

/** A project with two managers and two labels: "Bug" is on one of two tasks. */
async function labelled(stage) {
  const manager = await newUser(stage.base), other = await newUser(stage.base);
  const [id, key] = await manager.createProject("LBL");
  await manager.setMember(id, other, "MANAGER");
  const bug = await manager.createLabel(id, "Bug", "#ffcc00"), idea = await manager.createLabel(id, "Idea", "#0b6e6e");
  await manager.create({ title: "Marked", projectId: id, labelIds: [bug] });
  await manager.create({ title: "Plain", projectId: id });
  return { manager, other, id, key, bug, idea, query: `?project=${key}` };
}

async function openLabels(window) {
  await window.board("Labels", "menuitem");
  await window.dialog.getByRole("heading", { name: /^Labels of/ }).waitFor();
}

const row = ({ dialog }, name) => dialog.locator("[data-row]", { has: dialog.page().locator(".chip", { hasText: new RegExp(`^${name}$`) }) });

/** What has the focus, by its name. */
function focusedName({ page }) {
  return page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.innerText);
}

async function hasFocus(window, name) {
  await window.page.waitForFunction((text) => {
    const { activeElement } = document;
    return (activeElement.getAttribute("aria-label") ?? activeElement.innerText).includes(text);
  }, name).catch(async () => assert.equal(await focusedName(window), name));
}

/** A manager creates, renames, recolours and deletes a label; another person sees each of it at once. */
export async function managesLabels(stage) {
  const { manager, other, query } = await labelled(stage);
  const window = await Window.open(stage, manager, { query }), live = await Window.open(stage, other, { query });
  const { page, dialog } = window;
  await openLabels(live);
  await openLabels(window);
  await row(window, "Bug").getByText("1 task", { exact: true }).waitFor();
  await dialog.getByLabel("Name of a new label").fill("Chore");
  await dialog.getByLabel("Color of a new label").fill("#336699");
  await dialog.getByRole("button", { name: "Create label" }).click();
  await row(live, "Chore").getByText("0 tasks").waitFor();
  assert.equal(await dialog.getByLabel("Name of a new label").inputValue(), "");

  await dialog.getByRole("button", { name: "Edit the label “Bug”" }).click();
  await dialog.getByLabel("Color of “Bug”").fill("#000000");
  await dialog.getByLabel("Name of “Bug”").fill("Defect");
  await page.keyboard.press("Enter");
  await row(live, "Defect").waitFor();
  await hasFocus(window, "Edit the label “Defect”");
  await live.page.keyboard.press("Escape");
  const chip = live.card("Marked").locator(".chip", { hasText: "Defect" });
  await chip.waitFor();
  assert.equal(await chip.evaluate((element) => getComputedStyle(element).backgroundColor), "rgb(0, 0, 0)");

  await dialog.getByRole("button", { name: "Delete the label “Defect”" }).click();
  assert.match(await window.question.innerText(), /1 task has it and loses it.*cannot be undone/s);
  await window.answer("Cancel");
  await hasFocus(window, "Delete the label “Defect”");
  await dialog.getByRole("button", { name: "Delete the label “Defect”" }).click();
  await window.answer("Delete");
  await row(window, "Defect").waitFor({ state: "detached" });
  await hasFocus(window, "Edit the label “Idea”");
  await chip.waitFor({ state: "detached" });
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await hasFocus(window, "Board: ");
  assert.equal(await window.card("Marked").locator(".chip").count(), 0);
}

/** What the server refuses stands beside the field, which has the focus: a name that is taken, and one that is too long. */
export async function saysWhatIsWrongWithALabel(stage) {
  const { manager, query } = await labelled(stage);
  const window = await Window.open(stage, manager, { query });
  const { page, dialog } = window;
  await openLabels(window);
  const name = dialog.getByLabel("Name of a new label");
  await name.fill("bUG");
  await page.keyboard.press("Enter");
  await dialog.getByText("The project has a label named bUG already.").waitFor();
  await hasFocus(window, "Name of a new label");
  assert.equal(await name.getAttribute("aria-invalid"), "true");
  const described = await name.evaluate((element) =>
    element.getAttribute("aria-describedby").split(" ").map((id) => document.getElementById(id).innerText).join(" "));
  assert.match(described, /already/);
  await name.fill("x".repeat(41));
  await page.keyboard.press("Enter");
  await dialog.getByText("Name is 41 characters long; the maximum is 40.").waitFor();
  await dialog.getByRole("button", { name: "Edit the label “Idea”" }).click();
  await dialog.getByLabel("Name of “Idea”").fill("BUG");
  await page.keyboard.press("Enter");
  await dialog.getByText("The project has a label named BUG already.").waitFor();
  await hasFocus(window, "Name of “Idea”");
  await page.keyboard.press("Escape");
  await hasFocus(window, "Edit the label “Idea”");
  await dialog.getByText("Idea", { exact: true }).waitFor();
}

/** A project with as many labels as it can have takes no other one, and says so. */
export async function limitsTheNumberOfLabels(stage) {
  const { manager, id, query } = await labelled(stage);
  for (let at = 2; at < MOST_LABELS; at++) await manager.createLabel(id, `Label ${at}`, "#336699");
  const window = await Window.open(stage, manager, { query });
  await openLabels(window);
  await window.dialog.getByLabel("Name of a new label").fill("One more");
  await window.page.keyboard.press("Enter");
  await window.dialog.getByText("The project has 200 labels, the maximum; delete one.").waitFor();
  assert.equal(await window.dialog.locator("[data-row]").count(), MOST_LABELS);
}

/** Two edit a label: what only one changed is merged, and for what both changed the writer is asked. */
export async function mergesEditsOfALabel(stage) {
  const { manager, other, bug, query } = await labelled(stage);
  const window = await Window.open(stage, manager, { query });
  const { dialog } = window;
  await openLabels(window);
  await dialog.getByRole("button", { name: "Edit the label “Bug”" }).click();
  await dialog.getByLabel("Name of “Bug”").fill("Defect");
  await other.updateLabel(bug, { color: "#112233" });
  await window.page.waitForFunction(() => document.querySelector("[data-row] input[type=color]").value === "#112233");
  await other.updateLabel(bug, { name: "Fault" });
  await dialog.getByRole("button", { name: "Keep your name" }).waitFor();
  await dialog.getByRole("button", { name: "Save label" }).click();
  await dialog.getByText("Choose a value for each field").waitFor();
  await dialog.getByRole("button", { name: "Keep your name" }).click();
  await dialog.getByRole("button", { name: "Save label" }).click();
  await row(window, "Defect").waitFor();
  assert.equal(await window.card("Marked").locator(".chip").innerText(), "Defect");
}

/** A label that is deleted elsewhere while it is edited keeps what was typed, which can become a new label. */
export async function keepsTheTextOfADeletedLabel(stage) {
  const { manager, other, bug, query } = await labelled(stage);
  const window = await Window.open(stage, manager, { query });
  const { page, dialog } = window;
  await openLabels(window);
  await dialog.getByRole("button", { name: "Edit the label “Bug”" }).click();
  await dialog.getByLabel("Name of “Bug”").fill("Defect");
  await other.deleteLabel(bug);
  await dialog.getByText("This label was deleted, and its tasks have lost it.").waitFor();
  assert.equal(await dialog.getByLabel("Name of “Bug”").inputValue(), "Defect");
  await dialog.getByRole("form", { name: "Edit the label “Bug”" }).getByRole("button", { name: "Create label" }).click();
  await row(window, "Defect").getByText("0 tasks").waitFor();
  // Leaving with an edit that is not saved asks first.
  await dialog.getByRole("button", { name: "Edit the label “Idea”" }).click();
  await dialog.getByLabel("Name of “Idea”").fill("Thought");
  await dialog.getByRole("button", { name: "Close" }).click();
  await window.answer("Keep editing");
  assert.equal(await dialog.getByLabel("Name of “Idea”").inputValue(), "Thought");
  await dialog.getByRole("button", { name: "Close" }).click();
  await window.answer("Discard");
  await page.getByRole("heading", { name: /^Labels of/ }).waitFor({ state: "detached" });
}

/** A filter by a label that is deleted elsewhere finds nothing any more, and says why; so does its address. */
export async function saysThatTheLabelOfAFilterWasDeleted(stage) {
  const { manager, other, bug, query } = await labelled(stage);
  const window = await Window.open(stage, manager, { query: `${query}&label=${bug}` });
  const { page } = window;
  await window.order("TODO", "Marked");
  await other.deleteLabel(bug);
  const remark = page.getByText("The label that you filter by was deleted.");
  await remark.waitFor();
  await window.order("TODO");
  await page.reload();
  await remark.waitFor();
  await page.getByRole("button", { name: "Remove this filter" }).click();
  await remark.waitFor({ state: "detached" });
  await window.order("TODO", "Marked", "Plain");
}
