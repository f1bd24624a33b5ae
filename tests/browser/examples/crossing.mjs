// The page and the API are of two origins: vite's own address, and a server in development.
import { newUser } from "../board/people.mjs";
import { Tasks } from "./page.mjs";

/** Signing in, asking, listening and the cookie work across. */
export async function callsAndListensAcross({ api, url, page }) {
  const person = await newUser(api);
  const { id } = await person.create({ title: "From elsewhere" });
  const tasks = await Tasks.open(page, url, person);
  await tasks.move("From elsewhere", "IN_PROGRESS");
  await page.getByText(`${person.username}: “From elsewhere” is in progress`).waitFor();
  await person.move(id, "DONE");
  await tasks.is("From elsewhere", "DONE");
  await page.reload();
  await tasks.is("From elsewhere", "DONE");
}
