// Takes the pictures that the documentation shows, from the running product: `make pictures`.
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { known } from "./board/people.mjs";
import { Window } from "./board/window.mjs";
import { onStage, watchedPage } from "./stage.mjs";

const FOLDER = resolve(import.meta.dirname, "../../docs/pictures");
const PROJECT = "SHOP";
const VIEW = { width: 1200, height: 720 };

mkdirSync(FOLDER, { recursive: true });
await onStage(async (browser, base) => {
  const [alice, colleague] = [await known(base, "alice"), await known(base, "moderator")];
  const page = async (options) => (await watchedPage(browser, base, options)).page;
  for (const colorScheme of ["light", "dark"]) {
    const query = `?project=${PROJECT}`;
    const window = await Window.open({ base, page }, alice, { query, colorScheme, viewport: VIEW });
    await window.drop();
    await moves(colleague, colorScheme === "light" ? "IN_PROGRESS" : "TODO");
    await window.caughtUp();
    await moves(colleague, "DONE");
    await window.page.locator(".touch").first().waitFor();
    await window.page.mouse.move(0, 0);
    await window.page.screenshot({ path: join(FOLDER, `board-${colorScheme}.png`) });
  }
});
console.log(`The pictures are in ${FOLDER}.`);

/** Moves one task of the project that has another status. */
async function moves(person, status) {
  const { project } = await person.ask("query ($key: String!) { project(key: $key) { id } }", { key: PROJECT });
  const query = "query ($filter: TaskFilter) { tasks(first: 50, filter: $filter) { nodes { id status } } }";
  const { tasks } = await person.ask(query, { filter: { projectId: project.id, isSubtask: false } });
  for (const task of tasks.nodes.filter((each) => each.status !== status))
    if (typeof (await person.move(task.id, status)) !== "string") return;
}
