// The manual order of a project, and moves of several cards.
import assert from "node:assert/strict";
import { newUser } from "./people.mjs";
import { Window } from "./window.mjs";

/** A project with tasks, and a window with its board. */
async function project(stage, ...titles) {
  const person = await newUser(stage.base);
  const [id, key] = await person.createProject("ORD");
  const tasks = [];
  for (const title of titles) tasks.push(await person.create({ title, projectId: id }));
  const window = await Window.open(stage, person, { query: `?project=${key}` });
  await window.order("TODO", ...titles);
  return { person, id, key, tasks, window };
}

function placements(page) {
  const sent = [];
  page.on("request", (request) => /mutation PlaceTask/.test(request.postData() ?? "") && sent.push(request));
  return sent;
}

/** A card is dragged between two others with one request; another member sees the order, live; Undo takes it back. */
export async function ordersByDrag(stage) {
  const { person, id, key, window } = await project(stage, "One", "Two", "Three");
  const colleague = await newUser(stage.base);
  await person.setMember(id, colleague);
  const second = await Window.open(stage, colleague, { query: `?project=${key}` });
  const sent = placements(window.page);
  await window.dragBefore("Three", "Two");
  await window.order("TODO", "One", "Three", "Two");
  await second.order("TODO", "One", "Three", "Two");
  assert.equal(sent.length, 1);
  await window.page.getByRole("button", { name: "Undo" }).click();
  await second.order("TODO", "One", "Two", "Three");
  await second.drag("One", "IN_PROGRESS");
  await window.order("IN_PROGRESS", "One");
  await window.dragBefore("Three", "One");
  await second.order("IN_PROGRESS", "Three", "One");
  await second.order("TODO", "Two");
  await second.page.reload();
  await second.order("IN_PROGRESS", "Three", "One");
}

/** Keys and menu move a card up and down, keep the focus on it, and announce its place. */
export async function ordersByKeyboard(stage) {
  const { person, id, key, window } = await project(stage, "One", "Two", "Three");
  const colleague = await newUser(stage.base);
  await person.setMember(id, colleague, "VIEWER");
  const second = await Window.open(stage, colleague, { query: `?project=${key}` });
  const { page } = window;
  const announced = (text) => page.locator("[role=status]", { hasText: text }).first().waitFor({ state: "attached" });
  await window.focus("One");
  await page.keyboard.press("Shift+ArrowDown");
  await announced("“One” is at place 2 of 3 in To do.");
  await second.order("TODO", "Two", "One", "Three");
  await page.keyboard.press("Shift+ArrowUp");
  await announced("“One” is at place 1 of 3 in To do.");
  await page.keyboard.press("Shift+ArrowUp");
  await announced("“One” is first in To do.");
  assert.match(await window.focused(), /One/);
  await page.keyboard.press("m");
  await page.getByRole("menuitem", { name: "Move down" }).click();
  await second.order("TODO", "Two", "One", "Three");
  await second.focus("One");
  await second.page.keyboard.press("Shift+ArrowDown");
  assert.match(await second.refusal(), /only as its member/);
}

/** A refused placement goes back to where it was, and the reason is said. */
export async function takesBackARefusedPlacement(stage) {
  const { window } = await project(stage, "One", "Two", "Three");
  await window.page.route("**/graphql", async (route) => {
    if (!/mutation PlaceTask/.test(route.request().postData() ?? "")) return route.continue();
    const userErrors = [{ code: "CONFLICT", message: "It has changed.", path: [] }];
    await new Promise((done) => setTimeout(done, 300));
    return route.fulfill({ json: { data: { result: { task: null, userErrors } } } });
  });
  await window.dragBefore("Three", "One");
  await window.order("TODO", "Three", "One", "Two");
  assert.match(await window.refusal(), /“Three” is back at its place: Another user changed it/);
  await window.order("TODO", "One", "Two", "Three");
}

/** Selected cards are moved together; those that cannot go there stay, and are named. */
export async function movesSeveral(stage) {
  const { person, tasks, window } = await project(stage, "One", "Two", "Three", "Four");
  await person.move(tasks[3].id, "CANCELLED");
  await window.order("CANCELLED", "Four");
  const { page } = window;
  await window.card("One").click({ modifiers: ["Control"] });
  await window.card("Three").click({ modifiers: ["Shift"] });
  await page.getByText("3 selected").waitFor();
  await page.getByRole("checkbox", { name: "Select “Two”" }).uncheck();
  await window.focus("Four");
  await page.keyboard.press("x");
  await page.getByText("3 selected").waitFor();
  await page.getByRole("region", { name: "Selected tasks" }).getByRole("button", { name: "Done" }).click();
  assert.match(await window.refusal(), /“Four” cannot go to Done/);
  await window.order("DONE", "One", "Three");
  await window.order("TODO", "Two");
  await window.order("CANCELLED", "Four");
  await page.locator(".notice", { hasText: "Moved 2 tasks to Done." }).waitFor();
  await page.getByRole("region", { name: "Selected tasks" }).waitFor({ state: "detached" });
  await window.equalsCounts();
}
