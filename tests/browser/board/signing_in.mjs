import assert from "node:assert/strict";
import { picture } from "../stage.mjs";
import { somebody } from "./people.mjs";
import { Window } from "./window.mjs";

/** A wrong password is refused in the server's words; the right one opens the board; a reload keeps it; out is out. */
export async function signsInAndOut(stage) {
  const person = await somebody(stage.base);
  const page = await stage.page();
  await page.goto(`${stage.base}/board`);
  await picture(page, "board-1-sign-in");
  await page.getByLabel("Username").fill(person.username);
  await page.getByLabel("Password").fill("Wrong-1");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").getByText(/password/i).waitFor();
  await page.getByLabel("Password").fill(person.password);
  await page.keyboard.press("Enter");
  const window = new Window(page, person);
  await window.phase("Live");
  await page.reload();
  await window.phase("Live");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Username").waitFor();
  await page.reload();
  await page.getByLabel("Username").waitFor();
}

/** In development there is a button for each of the demo's people. */
export async function offersTheDemosPeople(stage) {
  const page = await stage.page();
  await page.goto(`${stage.base}/board`);
  await page.getByRole("button", { name: "moderator" }).click();
  await page.locator(".card").first().waitFor();
  assert.match(await page.locator(".who").innerText(), /moderator/);
}
