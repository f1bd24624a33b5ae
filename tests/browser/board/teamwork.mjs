// What the members of a project do together: comments, deletion and restoration, members and roles.
import assert from "node:assert/strict";
import { newUser } from "./people.mjs";
import { Window } from "./window.mjs";

async function team(stage, role = "MEMBER") {
  const manager = await newUser(stage.base), member = await newUser(stage.base);
  const [id, key] = await manager.createProject("TEAM");
  await manager.setMember(id, member, role);
  const task = await manager.create({ title: "Talk about it", projectId: id });
  const query = `?project=${key}`;
  return { manager, member, id, key, task, query };
}

/** A comment appears in the open dialog of another member, live; so do its changes, and its deletion by a manager. */
export async function discussesLive(stage) {
  const { manager, member, query } = await team(stage);
  const one = await Window.open(stage, member, { query }), other = await Window.open(stage, manager, { query });
  for (const window of [one, other]) await window.card("Talk about it").click();
  await one.dialog.getByLabel("Write a comment").fill("What do you think?");
  await one.dialog.getByRole("button", { name: "Comment", exact: true }).click();
  const comment = other.dialog.locator(".comment");
  await comment.getByText("What do you think?").waitFor();
  assert.equal(await comment.getByRole("button", { name: "Edit" }).count(), 0);
  await one.dialog.getByRole("button", { name: /^Edit your comment/ }).click();
  await one.dialog.getByRole("textbox", { name: "Edit your comment" }).fill("What do you all think?");
  await one.dialog.getByRole("button", { name: "Save comment" }).click();
  await comment.getByText("What do you all think?").waitFor();
  await comment.getByText("edited").waitFor();
  await other.page.keyboard.press("Escape");
  await other.card("Talk about it").getByText("1 comment").waitFor({ state: "attached" });
  await other.card("Talk about it").click();
  await comment.getByRole("button", { name: /^Delete the comment/ }).click();
  await other.answer("Delete");
  await one.dialog.locator(".comment").waitFor({ state: "detached" });
}

/** The board of all tasks shows comments live, too. */
export async function discussesPersonalTasks(stage) {
  const person = await newUser(stage.base);
  const { id } = await person.create({ title: "A note to myself" });
  const window = await Window.open(stage, person);
  await window.card("A note to myself").click();
  await window.dialog.getByText("created it").waitFor();
  await person.comment(id, "Written elsewhere");
  await window.dialog.locator(".comment", { hasText: "Written elsewhere" }).waitFor();
}

/** A deleted task comes back with Undo, and later from the trash, with its comments. */
export async function restoresDeletedTasks(stage) {
  const { manager, member, task, query } = await team(stage);
  await manager.comment(task.id, "Keep me");
  const window = await Window.open(stage, manager, { query }), other = await Window.open(stage, member, { query });
  const { page, dialog } = window;
  const remove = async () => {
    await window.card("Talk about it").click();
    await dialog.getByRole("button", { name: "Delete", exact: true }).click();
    await window.answer("Delete");
    await other.card("Talk about it").waitFor({ state: "detached" });
  };
  await remove();
  await page.getByRole("button", { name: "Undo" }).click();
  await window.cardIn("TODO", "Talk about it");
  await other.cardIn("TODO", "Talk about it");
  await window.card("Talk about it").getByText("1 comment").waitFor({ state: "attached" });
  await remove();
  await window.board("Trash", "menuitem");
  await dialog.getByRole("button", { name: "Restore “Talk about it”" }).click();
  await dialog.getByText("The trash is empty.").waitFor();
  await page.keyboard.press("Escape");
  await window.cardIn("TODO", "Talk about it");
  await other.cardIn("TODO", "Talk about it");
}

/** A manager adds a member, changes the role, and removes the member, whose board says so. */
export async function managesMembers(stage) {
  const { manager, member, key, query } = await team(stage, "VIEWER");
  const newcomer = await newUser(stage.base);
  const window = await Window.open(stage, manager, { query }), other = await Window.open(stage, member, { query });
  const { page, dialog } = window;
  await other.card("Talk about it").getByText("read only").waitFor();
  await window.board("Members", "menuitem");
  await dialog.getByLabel("Find a user").fill(newcomer.username);
  await dialog.getByRole("button", { name: `Add ${newcomer.username}` }).click();
  await dialog.getByLabel(`Role of ${newcomer.username}`).waitFor();
  await dialog.getByLabel(`Role of ${member.username}`).selectOption("Member");
  await other.page.getByRole("button", { name: "Move “Talk about it”" }).waitFor();
  await dialog.getByRole("button", { name: `Remove ${member.username}` }).click();
  await other.page.getByText(`There is no project ${key}`).waitFor();
  await other.card("Talk about it").waitFor({ state: "detached" });
  await dialog.getByRole("button", { name: "Leave the project" }).click();
  await window.answer("Leave");
  await dialog.getByText(/manager/).waitFor();
  await page.keyboard.press("Escape");
}

/** A new project is shown at once, and its creator leaves it to nobody else. */
export async function createsAProject(stage) {
  const person = await newUser(stage.base);
  const window = await Window.open(stage, person);
  const { page, dialog } = window;
  const key = `NEW${Date.now() % 100_000}`;
  await window.board("New project", "menuitem");
  await dialog.getByLabel("Name").fill("Something new");
  await dialog.getByLabel("Key").fill(key.toLowerCase());
  await dialog.getByRole("button", { name: "Create" }).click();
  await window.address({ project: key });
  await page.locator("button.project", { hasText: "Something new" }).waitFor();
  await window.phase("Live");
  await page.keyboard.press("n");
  await dialog.getByLabel("Title", { exact: true }).fill("The first task");
  await dialog.getByRole("button", { name: "Create" }).click();
  await window.cardIn("TODO", "The first task");
  await window.board("Archive project", "menuitem");
  await window.answer("Archive");
  await page.getByText("This project is archived").waitFor();
}

/** The menu has no "New project" for a person who may not create one; the server decides. */
export async function offersNoNewProjectToThoseWhoMayNotCreateOne(stage) {
  const person = await newUser(stage.base);
  const window = await Window.open(stage, person);
  const { page } = window;
  const item = page.getByRole("menuitem", { name: "New project" });
  const openMenu = () => page.locator("button.project").click();
  await openMenu();
  await item.waitFor();
  await page.keyboard.press("Escape");

  await page.route("**/graphql", async (route) => {
    if (!/query Projects/.test(route.request().postData() ?? "")) return route.fallback();
    const response = await route.fetch();
    const body = await response.json();
    assert.equal(body.data.me.viewerCanCreateProjects, true);
    body.data.me.viewerCanCreateProjects = false;
    await route.fulfill({ response, json: body });
  });
  await openMenu(); // reads the projects again
  await item.waitFor({ state: "detached" });
  await page.getByRole("menuitem", { name: "Trash" }).waitFor();
  await page.getByRole("menuitemradio", { name: "All tasks" }).waitFor();
}
