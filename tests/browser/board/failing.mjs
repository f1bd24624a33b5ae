// What goes wrong on the way: answers with errors in them, and browsers without a secure context.
import assert from "node:assert/strict";
import { newUser } from "./people.mjs";
import { Window } from "./window.mjs";

/** The page's sockets, with a way to put a result into the stream. */
async function tapped(page) {
  const tap = { socket: null, id: null };
  await page.routeWebSocket(/\/graphql$/, (socket) => {
    const server = socket.connectToServer();
    tap.socket = socket;
    socket.onMessage((text) => {
      const { type, id } = JSON.parse(text);
      if (type === "subscribe") tap.id = id;
      server.send(text);
    });
  });
  tap.send = (payload) => tap.socket.send(JSON.stringify({ type: "next", id: tap.id, payload }));
  return tap;
}

async function listening(stage, title) {
  const person = await newUser(stage.base);
  const task = await person.create({ title });
  const page = await stage.page({ viewport: { width: 1280, height: 800 } });
  const tap = await tapped(page);
  await page.goto(`${stage.base}/board`);
  const window = new Window(page, person);
  await window.signIn();
  return { person, task, window, tap };
}

const ERRORS = [{ message: "Something went wrong.", extensions: { code: "INTERNAL" } }];

/** An error within a result does not end the stream: the board stays live, keeps its cards, and goes on. */
export async function goesOnAfterPartialErrors(stage) {
  const { person, task, window, tap } = await listening(stage, "Still here");
  const item = { cursor: "?", at: new Date().toISOString(), taskId: task.id, task: null };
  tap.send({ errors: ERRORS });
  tap.send({ data: null, errors: ERRORS });
  tap.send({ data: { taskChanged: { __typename: "TaskChanged", ...item, changes: ["TITLE"], by: null } }, errors: ERRORS });
  await person.move(task.id, "IN_PROGRESS");
  await window.cardIn("IN_PROGRESS", "Still here");
  await window.phase("Live");
  assert.equal(await window.page.getByText(/Ended|Reload/).count(), 0);
  await window.equalsServer();
}

/** A move that is delivered without its deleted task changes nothing before the deletion. */
export async function waitsForTheDeletion(stage) {
  const { person, task, window, tap } = await listening(stage, "Moved, then deleted");
  const other = await person.create({ title: "Another" });
  await window.cardIn("TODO", "Another");
  const item = { cursor: "?", at: new Date().toISOString(), taskId: task.id, task: null };
  tap.send({ data: { taskChanged: { __typename: "TaskStatusChanged", ...item } } });
  await person.move(other.id, "DONE");
  await window.cardIn("DONE", "Another"); // what came before that was taken in, too
  await window.cardIn("TODO", "Moved, then deleted");
  await person.remove(task.id);
  await window.card("Moved, then deleted").waitFor({ state: "detached" });
  await window.equalsServer();
}

/** A stream that the server ends is shown as ended. */
export async function saysThatTheStreamEnded(stage) {
  const { window, tap } = await listening(stage, "Over");
  tap.socket.send(JSON.stringify({ type: "error", id: tap.id, payload: [{ message: "No more of this." }] }));
  await window.phase("Ended");
  await window.page.getByText("No more of this. Reload the page to connect again.").waitFor();
}

/** Over plain HTTP outside of localhost, browsers have fewer features: signing in, creating and moving work. */
export async function worksOnPlainHttp(stage) {
  const person = await newUser(stage.base);
  const window = await Window.open(stage, person, { base: stage.plainBase });
  const { page } = window;
  assert.equal(await page.evaluate(() => isSecureContext || "randomUUID" in crypto), false);
  await page.keyboard.press("n");
  await page.keyboard.type("Plain");
  await page.keyboard.press("Enter");
  await window.cardIn("TODO", "Plain");
  await window.drag("Plain", "DONE");
  await window.page.getByRole("button", { name: "Undo" }).waitFor();
  await window.equalsServer();
}

/** After any failure the pending change is undone, and the next one works. */
export async function takesBackWhatFails(stage) {
  const person = await newUser(stage.base);
  await person.create({ title: "Try me" });
  const window = await Window.open(stage, person);
  const { page } = window;
  const failures = [
    (route) => route.fulfill({ json: { data: null, errors: [{ message: "Broken.", extensions: { code: "INTERNAL" } }] } }),
    (route) => route.fulfill({ json: { data: { result: null }, errors: [{ message: "Broken.", extensions: { code: "INTERNAL" } }] } }),
  ];
  for (const fail of failures) {
    let failed = false;
    await page.route("**/graphql", (route) => {
      if (failed || !/mutation MoveTask/.test(route.request().postData() ?? "")) return route.fallback();
      failed = true;
      return fail(route);
    });
    await window.drag("Try me", "DONE");
    assert.match(await window.refusal(), /“Try me” is back in To do: Broken\./);
    await window.cardIn("TODO", "Try me");
    await page.unroute("**/graphql");
  }
  await page.evaluate(() => (crypto.getRandomValues = () => { throw new Error("No chance."); }));
  await window.drag("Try me", "DONE");
  assert.match(await window.refusal(), /No chance\./);
  await window.cardIn("TODO", "Try me");
  assert.equal(await page.locator(".pending").count(), 0);
}
