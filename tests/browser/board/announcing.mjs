// What screen readers announce: text that is added to a live region, which was there before and is there afterwards.
import assert from "node:assert/strict";
import { until } from "../stage.mjs";
import { newUser } from "./people.mjs";
import { Window } from "./window.mjs";

/** Records each text that is added to a live region which existed before and which no modal dialog covers. */
function record() {
  const REGION = "[role=status], [role=alert]";
  const known = new WeakSet();
  const announced = (window.announced = []);
  const regionOf = (node) => (node instanceof Element ? node : node.parentElement)?.closest(REGION);
  const isCovered = (region) => {
    const modal = [...document.querySelectorAll("dialog:modal")].at(-1);
    return modal !== undefined && !modal.contains(region);
  };
  new MutationObserver((changes) => {
    for (const { target, addedNodes } of changes) {
      const region = regionOf(target);
      const text = [...addedNodes].map((node) => node.textContent).join(" ").trim();
      if (region && text && known.has(region) && !isCovered(region)) announced.push({ region, text });
    }
    for (const region of document.querySelectorAll(REGION)) known.add(region);
  }).observe(document, { subtree: true, childList: true });
}

async function listening(stage, titles = []) {
  const person = await newUser(stage.base);
  for (const title of titles) await person.create({ title });
  const page = await stage.page({ viewport: { width: 1280, height: 800 } });
  await page.addInitScript(record);
  await page.goto(`${stage.base}/board`);
  const window = new Window(page, person);
  await window.signIn();
  return { person, window, page, dialog: window.dialog };
}

/** Waits until it was announced in a region that has not gone with its text. */
function isAnnounced(page, text) {
  const isThere = (text) => window.announced.some((each) => each.region.isConnected && each.text.includes(text));
  return until(() => page.evaluate(isThere, text), `“${text}” is announced`, 5_000);
}

/** Create and Delete close a dialog and are announced on the page; so are moves and refusals. */
export async function announcesWhatWasDone(stage) {
  const { window, page, dialog } = await listening(stage);
  await page.keyboard.press("n");
  await dialog.getByLabel("Title").fill("Said aloud");
  await page.keyboard.press("Enter");
  await isAnnounced(page, "Created “Said aloud”.");
  await window.focus("Said aloud");
  await page.keyboard.press("Shift+ArrowRight");
  await isAnnounced(page, "Moved “Said aloud” to In progress.");
  await page.keyboard.press("Shift+ArrowRight");
  await isAnnounced(page, "Moved “Said aloud” to Done.");
  await page.keyboard.press("Shift+ArrowRight");
  await isAnnounced(page, "there is no move to the right");
  await window.card("Said aloud").click();
  await dialog.getByRole("button", { name: "Delete" }).click();
  await window.answer("Delete");
  await isAnnounced(page, "Deleted “Said aloud”.");
}

/** What is changed in an open dialog is announced in it. */
export async function announcesInTheOpenDialog(stage) {
  const { page, window, dialog } = await listening(stage, ["Open"]);
  await window.card("Open").click();
  await dialog.getByLabel("Status").selectOption("IN_PROGRESS");
  await isAnnounced(page, "Moved “Open” to In progress.");
  assert.equal(await page.evaluate(() => window.announced.at(-1).region.closest("dialog") !== null), true);
}

/** A sign-out that fails is announced, although the board was drawn anew. */
export async function announcesASignOutThatFails(stage) {
  const { page } = await listening(stage);
  await page.route("**/graphql", (route) => (/mutation SignOut/.test(route.request().postData() ?? "") ? route.abort() : route.continue()));
  await page.getByRole("button", { name: "Sign out" }).click();
  await isAnnounced(page, "You are still signed in.");
}
