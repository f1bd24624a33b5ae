// What each example must be able to do. Each scenario has people and a page of its own.
import assert from "node:assert/strict";
import axe from "axe-core";
import { known, newUser } from "../board/people.mjs";
import { picture, until } from "../stage.mjs";
import { Tasks, isOf } from "./page.mjs";

const PAGE = 20;

/** A wrong password shows the server's message, the right one opens the list, a reload keeps it, signing out ends it. */
export async function signsInAndOut({ api, url, page, name }) {
  const person = await newUser(api);
  await person.create({ title: "Mine" });
  await page.goto(url);
  await page.getByLabel("Username").fill(person.username);
  await page.getByLabel("Password").fill("wrong");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").getByText("Wrong username or password.").waitFor();
  await complains(page);
  await picture(page, `${name}-1-sign-in`);
  const tasks = await Tasks.open(page, url, person);
  await complains(page);
  await page.reload();
  await tasks.live();
  await tasks.is("Mine", "TODO");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Username").waitFor();
  await page.reload();
  await page.getByLabel("Username").waitFor();
}

/** It shows a page, and then the next one without gaps. */
export async function pages({ api, url, page, name }) {
  const person = await newUser(api);
  await person.createMany(PAGE + 5);
  const tasks = await Tasks.open(page, url, person);
  await tasks.count(PAGE);
  await picture(page, `${name}-2-list`);
  await page.getByRole("button", { name: "Show more" }).click();
  await tasks.count(PAGE + 5);
  assert.equal(await page.getByRole("button", { name: "Show more" }).count(), 0);
  assert.equal(new Set((await tasks.shown()).map(([title]) => title)).size, PAGE + 5);
}

/** A move is shown before the response, and then as the server has it. */
export async function movesAtOnce({ api, url, page }) {
  const person = await newUser(api);
  const { id } = await person.create({ title: "Soon" });
  const tasks = await Tasks.open(page, url, person);
  const release = await tasks.hold("MoveTask");
  await tasks.move("Soon", "DONE");
  await page.waitForTimeout(200);
  await tasks.is("Soon", "DONE");
  assert.equal((await person.list())[0].status, "TODO");
  release();
  await until(async () => (await person.list())[0].status === "DONE", "the server has the move");
  await tasks.is("Soon", "DONE");
  assert.equal((await person.list())[0].id, id);
}

/** A forbidden move is shown first, and undone with the server's message. */
export async function takesBackWhatIsRefused({ api, url, page, name }) {
  const person = await newUser(api);
  const { id } = await person.create({ title: "Cancelled once" });
  await person.move(id, "CANCELLED");
  const tasks = await Tasks.open(page, url, person);
  const release = await tasks.hold("MoveTask");
  await tasks.move("Cancelled once", "DONE");
  await page.waitForTimeout(200);
  await tasks.is("Cancelled once", "DONE");
  release();
  await page.getByRole("alert").getByText("A task cannot go from CANCELLED to DONE").waitFor();
  await tasks.is("Cancelled once", "CANCELLED");
  await picture(page, `${name}-3-refused`);
  await tasks.move("Cancelled once", "TODO");
  await page.getByRole("alert").waitFor({ state: "detached" });
  await tasks.is("Cancelled once", "TODO");
}

/** Changes of other users are shown: a task moves, and disappears when it is deleted. */
export async function showsWhatOthersDo({ api, url, page, name }) {
  const [ada, bob] = [await newUser(api), await newUser(api)];
  const assigneeId = (await bob.me()).id;
  await bob.create({ title: "Mine" });
  const { id } = await ada.create({ title: "Between us", assigneeId });
  const tasks = await Tasks.open(page, url, bob);
  await ada.move(id, "IN_PROGRESS");
  await tasks.is("Between us", "IN_PROGRESS");
  await page.getByText(`${ada.username}: “Between us” is in progress`).waitFor();
  await picture(page, `${name}-4-live`);
  await ada.remove(id);
  await tasks.count(1);
  await tasks.is("Mine", "TODO");
}

/** A response from before an event that arrives after it does not overwrite it, for moves and for pages. */
export async function letsNoLateAnswerCoverAnEvent({ api, url, page }) {
  const person = await newUser(api);
  await person.createMany(PAGE + 1);
  const list = await person.list();
  const tasks = await Tasks.open(page, url, person);
  const shown = new Set((await tasks.shown()).map(([title]) => title));
  const [first, last] = [list.find(({ title }) => shown.has(title)), list.find(({ title }) => !shown.has(title))];
  const late = await tasks.hold("MoveTask", { answers: true });
  await tasks.move(first.title, "IN_PROGRESS");
  await until(async () => (await person.list()).some(({ id, status }) => id === first.id && status !== "TODO"), "the move is made");
  await person.move(first.id, "DONE");
  await page.getByText(`“${first.title}” is done`).waitFor();
  late();
  await tasks.is(first.title, "DONE");
  const later = await tasks.hold("Tasks", { answers: true });
  await page.getByRole("button", { name: "Show more" }).click();
  await page.waitForTimeout(300);
  await person.move(last.id, "CANCELLED");
  await page.getByText(`“${last.title}” is cancelled`).waitFor();
  later();
  await tasks.is(last.title, "CANCELLED");
  await page.waitForTimeout(200);
  await tasks.is(first.title, "DONE");
}

/** A lost connection is shown and restored; missed changes come from the stream, not from another query. */
export async function missesNothing({ api, url, page, wire }) {
  const person = await newUser(api);
  await person.createMany(6);
  const made = await person.list();
  const tasks = await Tasks.open(page, url, person);
  await tasks.count(6);
  const read = tasks.counting("Tasks");
  for (const status of ["IN_PROGRESS", "DONE"]) {
    wire.cut();
    await page.getByText("Coming back").waitFor();
    for (const { id } of made) await person.move(id, status);
    wire.mend();
    await tasks.live();
    for (const { title } of made) await tasks.is(title, status);
  }
  assert.equal(read.times, 0);
}

/** A refused token is renewed once for all concurrent requests. */
export async function renewsItsToken({ api, url, page }) {
  const person = await newUser(api);
  await person.createMany(4);
  const tasks = await Tasks.open(page, url, person);
  await tasks.count(4);
  let expired;
  await page.route("**/graphql", async (route) => {
    const headers = route.request().headers();
    expired ??= headers.authorization;
    if (headers.authorization === expired) headers.authorization += "x";
    await route.continue({ headers });
  });
  const renewed = tasks.counting("StaySignedIn");
  const titles = (await tasks.shown()).map(([title]) => title);
  await Promise.all(titles.map((title) => tasks.move(title, "DONE")));
  await until(async () => (await person.list()).every(({ status }) => status === "DONE"), "the server has every move");
  for (const title of titles) await tasks.is(title, "DONE");
  assert.equal(renewed.times, 1);
}

/** After a change of rights the stream restarts: visible tasks are shown and updated. */
export async function followsItsRights({ api, url, page, name }) {
  const [person, other, admin] = [await newUser(api), await newUser(api), await known(api, "admin")];
  const title = `To be seen with ${name}`;
  const { id } = await other.create({ title });
  const tasks = await Tasks.open(page, url, person);
  await tasks.count(0);
  const input = { userId: (await person.me()).id, role: "MODERATOR" };
  await admin.ask("mutation ($input: SetUserRoleInput!) { setUserRole(input: $input) { user { role } } }", { input });
  await tasks.count(PAGE);
  await tasks.show(title);
  await other.move(id, "DONE");
  await tasks.is(title, "DONE");
}

/** The tasks of a project are listed on their own; joining and leaving a project changes what can be chosen, without a reload. */
export async function listsTheTasksOfAProject({ api, url, page, name }) {
  const [manager, person] = [await newUser(api), await newUser(api)];
  const [projectId, key] = await manager.createProject(name);
  const { id } = await manager.create({ title: "Of the team", projectId });
  await person.create({ title: "Mine" });
  const tasks = await Tasks.open(page, url, person);
  await tasks.count(1);
  const project = page.getByLabel("Project");
  assert.equal(await project.count(), 0);
  await manager.setMember(projectId, person);
  await tasks.count(2);
  await project.selectOption({ label: `${key} The team` });
  await tasks.count(1);
  await page.getByText(`${key}-1 · ${manager.username}`).waitFor();
  await complains(page);
  await picture(page, `${name}-5-project`);
  await manager.move(id, "IN_PROGRESS");
  await tasks.is("Of the team", "IN_PROGRESS");
  await project.selectOption({ label: "All tasks" });
  await tasks.count(2);
  await project.selectOption({ label: `${key} The team` });
  await manager.removeMember(projectId, person);
  await project.waitFor({ state: "detached" });
  await tasks.count(1);
  await tasks.is("Mine", "TODO");
}

/** Two moves of a task are sent in order, the second with the version that the first made; each has a key of its own. */
export async function movesInOrder({ api, url, page }) {
  const person = await newUser(api);
  await person.create({ title: "Twice" });
  const tasks = await Tasks.open(page, url, person);
  const sent = [];
  page.on("request", (request) => {
    const { query, variables, extensions } = JSON.parse(request.postData() ?? "{}");
    if (query?.includes("MoveTask")) sent.push([variables.input.expectedVersion, extensions?.idempotencyKey]);
  });
  const release = await tasks.hold("MoveTask");
  await tasks.move("Twice", "IN_PROGRESS");
  await tasks.move("Twice", "DONE");
  await tasks.is("Twice", "DONE");
  release();
  await until(async () => (await person.list())[0].status === "DONE", "the server has both moves");
  assert.deepEqual(sent.map(([version]) => version), [1, 2]);
  assert.equal(new Set(sent.map(([, key]) => key).filter((key) => /^[0-9a-f]{32}$/.test(key))).size, 2);
}

/** A page that cannot be read is reported, and can be read later. */
export async function reportsAPageThatCannotBeRead({ api, url, page }) {
  const person = await newUser(api);
  await person.createMany(PAGE + 1);
  const tasks = await Tasks.open(page, url, person);
  await tasks.count(PAGE);
  await page.route("**/graphql", (route) => (isOf(route.request(), "Tasks") ? route.abort() : route.fallback()), { times: 1 });
  await page.getByRole("button", { name: "Show more" }).click();
  await page.getByRole("alert").getByText("cannot be reached").waitFor();
  await page.getByRole("button", { name: "Show more" }).click();
  await tasks.count(PAGE + 1);
  assert.equal(await page.getByRole("alert").count(), 0);
}

/** A move that fails is undone and reported, also if the response has no payload. */
export async function reportsAMoveThatFails({ api, url, page }) {
  const person = await newUser(api);
  await person.create({ title: "Fails" });
  const tasks = await Tasks.open(page, url, person);
  const json = { data: { updateTaskStatus: null }, errors: [{ message: "Broken.", extensions: { code: "INTERNAL" } }] };
  await page.route("**/graphql", (route) => (isOf(route.request(), "MoveTask") ? route.fulfill({ json }) : route.fallback()), { times: 1 });
  await tasks.move("Fails", "DONE");
  await page.getByRole("alert").getByText("Broken.").waitFor();
  await tasks.is("Fails", "TODO");
}

/** A page that was read before a task on it was deleted, and arrives after that, does not show the task. */
export async function bringsNoDeletedTaskBack({ api, url, page }) {
  const person = await newUser(api);
  await person.createMany(PAGE + 2);
  const list = await person.list();
  const tasks = await Tasks.open(page, url, person);
  await tasks.count(PAGE);
  const shown = new Set((await tasks.shown()).map(([title]) => title));
  const [first, [last]] = [list.find(({ title }) => shown.has(title)), list.filter(({ title }) => !shown.has(title))];
  const release = await tasks.hold("Tasks", { answers: true });
  await page.getByRole("button", { name: "Show more" }).click();
  await release.answered;
  await person.remove(last.id);
  await person.move(first.id, "DONE");
  await page.getByText(`“${first.title}” is done`).waitFor(); // The deletion has arrived before.
  release();
  await tasks.count(PAGE + 1);
  assert.equal(await tasks.status(last.title).count(), 0);
}

/** Without a server at the start it does not ask for a password, and shows the list when the server is back. */
export async function asksForNoPasswordWithoutANetwork({ api, url, page, wire }) {
  const person = await newUser(api);
  await person.create({ title: "Later" });
  const tasks = await Tasks.open(page, url, person);
  wire.cut();
  await page.reload();
  await page.getByRole("alert").getByText("Trying again").waitFor();
  assert.equal(await page.getByLabel("Username").count(), 0);
  wire.mend();
  await tasks.live();
  await tasks.is("Later", "TODO");
}

/** Signing out in one tab ends the other one's. */
export async function signsOutInAllTabs({ api, url, page }) {
  const person = await newUser(api);
  await Tasks.open(page, url, person);
  const other = await page.context().newPage();
  await other.goto(url);
  await new Tasks(other).live();
  await page.getByRole("button", { name: "Sign out" }).click();
  await other.getByLabel("Username").waitFor();
}

async function complains(page) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`), []);
}
