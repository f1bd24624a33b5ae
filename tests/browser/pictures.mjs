// Takes the pictures that the documentation shows, from the running product: `make pictures`.
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { known } from "./board/people.mjs";
import { Window } from "./board/window.mjs";
import { onStage, watchedPage } from "./stage.mjs";

const FOLDER = resolve(import.meta.dirname, "../../docs/pictures");
const VIEW = { width: 1200, height: 720 };

mkdirSync(FOLDER, { recursive: true });
await onStage(async (browser, base) => {
  const [alice, bob] = [await known(base, "alice"), await known(base, "bob")];
  const page = async (options) => (await watchedPage(browser, base, options)).page;
  for (const colorScheme of ["light", "dark"]) {
    const window = await Window.open({ base, page }, alice, { colorScheme, viewport: VIEW });
    await window.drop();
    await bobMoves(bob, alice, colorScheme === "light" ? "IN_PROGRESS" : "TODO");
    await window.caughtUp();
    await bobMoves(bob, alice, "DONE");
    await window.page.locator(".touch").first().waitFor();
    await window.page.mouse.move(0, 0);
    await window.page.screenshot({ path: join(FOLDER, `board-${colorScheme}.png`) });
  }
});
console.log(`The pictures are in ${FOLDER}.`);

/** Another user moves one of alice's tasks. */
async function bobMoves(bob, alice, status) {
  const tasks = await bob.list();
  const mine = new Set((await alice.list()).map(({ id }) => id));
  for (const { id } of tasks.filter((task) => mine.has(task.id) && task.status !== status))
    if (typeof (await bob.move(id, status)) !== "string") return;
}
