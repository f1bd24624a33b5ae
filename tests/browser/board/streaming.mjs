import assert from "node:assert/strict";
import { picture } from "../stage.mjs";
import { known, newUser } from "./people.mjs";
import { Window } from "./window.mjs";

/** Two windows show each other's moves with their users. */
export async function showsOthersMoves(stage) {
  const [ada, bob] = [await newUser(stage.base), await newUser(stage.base)];
  const { id } = await ada.create({ title: "Between us" });
  await ada.assign(id, (await bob.me()).id);
  const [left, right] = [await Window.open(stage, ada), await Window.open(stage, bob)];
  await left.drag("Between us", "IN_PROGRESS");
  const seen = await right.cardIn("IN_PROGRESS", "Between us");
  await seen.getByText(`${ada.username} moved it`).waitFor();
  await right.focus("Between us");
  await right.page.keyboard.press("Shift+ArrowRight");
  await left.cardIn("DONE", "Between us");
  assert.match(await left.fact("Last event took"), /^\d[\d.]* m?s ± \d+$/);
  await ada.assign(id, null);
  await right.card("Between us").waitFor({ state: "detached" });
  await left.equalsServer();
  await right.equalsServer();
}

/** A dropped connection is restored, with the missed changes. */
export async function comesBackWhenDropped(stage) {
  const person = await newUser(stage.base);
  const { id } = await person.create({ title: "Meanwhile" });
  const window = await Window.open(stage, person);
  await window.drop();
  await person.move(id, "DONE");
  await window.caughtUp();
  await window.cardIn("DONE", "Meanwhile");
  assert.equal(await window.fact("Reconnects"), "1");
  assert.equal(await window.fact("Gaps"), "0");
  await window.equalsServer();
}

/** After an outage the board shows the number of replayed events, and equals the server. */
export async function replaysWhatWasMissed(stage) {
  const person = await newUser(stage.base);
  await person.createMany(5);
  const window = await Window.open(stage, person, { query: "?stop=3" });
  await window.stop();
  await picture(window.page, "board-4-stopped");
  const [first, second, third] = await person.list();
  await person.move(first.id, "DONE");
  await person.move(first.id, "TODO");
  await person.update(second.id, { title: "Renamed" });
  await person.remove(third.id);
  const made = await person.create({ title: "New meanwhile" });
  await person.move(made.id, "IN_PROGRESS");
  const story = await window.caughtUp();
  await window.page.getByText("6 events replayed").waitFor();
  assert.match(story, /after 3\.\d s away/);
  await picture(window.page, "board-5-caught-up");
  await window.equalsServer();
  await window.details();
  await window.page.getByRole("button", { name: "Compare with the server" }).click();
  await window.page.getByText("All 5 tasks are the same.").waitFor();
  assert.equal(await window.fact("Gaps"), "0");
}

/** A new role changes the board immediately, without another sign-in. */
export async function followsItsRights(stage) {
  const [person, admin] = [await newUser(stage.base), await known(stage.base, "admin")];
  const window = await Window.open(stage, person);
  assert.deepEqual(await window.counts(), [0, 0, 0, 0]);
  for (const role of ["MODERATOR", "USER"]) {
    const input = { userId: (await person.me()).id, role };
    await admin.ask("mutation ($input: SetUserRoleInput!) { setUserRole(input: $input) { user { role } } }", { input });
    await window.page.locator(".who small", { hasText: role.toLowerCase() }).waitFor();
    await window.phase("Live");
    await window.equalsCounts();
  }
}

const DROPS = 6;
const MOVES_BETWEEN = 12;
const STATUSES = ["TODO", "IN_PROGRESS", "DONE", "CANCELLED"];

/** With concurrent changes and repeated disconnects, the board ends equal to a fresh fetch. */
export async function equalsAFreshFetchAfterDisconnects(stage) {
  const people = [await newUser(stage.base), await newUser(stage.base), await newUser(stage.base)];
  const ids = await Promise.all(people.map(async (person) => (await person.me()).id));
  for (const person of people) await person.createMany(8, (n) => ({ assigneeId: ids[n % 3] }));
  const window = await Window.open(stage, people[0]);
  const roll = dice(7);

  const act = async () => {
    const person = people[roll(3)];
    const tasks = await person.list();
    const task = tasks[roll(tasks.length)];
    const kind = roll(10);
    if (kind === 0 || !task) return person.create({ title: `Made at ${roll(1e6)}`, assigneeId: ids[roll(3)] });
    if (kind === 1) return person.ask(`mutation { deleteTask(input: {id: "${task.id}"}) { deletedTaskId } }`);
    if (kind === 2) return person.update(task.id, { title: `Renamed ${roll(1e6)}` });
    if (kind < 5) return person.assign(task.id, [...ids, null][roll(4)]);
    return person.move(task.id, STATUSES[roll(4)]);
  };
  for (let drop = 0; drop < DROPS; drop++) {
    await window.drop();
    await Promise.all(Array.from({ length: 4 }, async () => {
      for (let move = 0; move < MOVES_BETWEEN / 4; move++) await act();
    }));
    await window.phase("Live");
  }
  await window.equalsServer();
  assert.equal(await window.fact("Gaps"), "0");
  assert.equal(await window.fact("Reconnects"), `${DROPS}`);
  await window.equalsCounts();
}

/** Numbers that look random and are the same in every run (a linear congruential generator). */
function dice(seed) {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}
