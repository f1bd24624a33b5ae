// What a user may do changes while the page is open: tokens expire, sessions end, roles change.
import assert from "node:assert/strict";
import { known, newUser } from "../board/people.mjs";
import { until } from "../stage.mjs";
import { Visit } from "./visit.mjs";

/** Milliseconds: a token lives for a minute here. */
const PATIENCE = 90_000;

async function set(api, mutation, type, input) {
  const admin = await known(api, "admin");
  await admin.ask(`mutation ($input: ${type}!) { ${mutation}(input: $input) { user { id } userErrors { message } } }`, { input });
}

/** Before the token expires, one tab renews it for all. When it expires, each stream gets another connection and misses nothing. */
export async function outlivesItsToken({ api, url, context }) {
  const person = await newUser(api);
  const tabs = [await Visit.open(context, url, { person }), await Visit.open(context, url)];
  for (const tab of tabs) await tab.live();
  const { id } = await person.create({ title: "Open for long" });
  for (const tab of tabs) await tab.shows("TODO: Open for long");
  const renewals = () => tabs.reduce((sum, tab) => sum + tab.renewals, 0);
  const before = renewals();
  const reconnected = (tab) => async () => (await tab.status()).connections >= 2;
  for (const tab of tabs) await until(reconnected(tab), "the server has closed the connection with the old token", PATIENCE);
  assert.equal(renewals() - before, 1);
  await (await known(api, person.username)).move(id, "DONE"); // with a token that has not expired, either
  for (const tab of tabs) {
    await tab.shows("DONE: Open for long");
    await tab.receives("CREATED: Open for long", "STATUS: Open for long");
    await tab.wasClean();
  }
}

/** A user who is disabled is signed out of the open page, which shows nothing more of theirs. */
export async function signsOutAUserWhoIsDisabled({ api, url, context }) {
  const person = await newUser(api);
  await person.create({ title: "Not for long" });
  const tabs = [await Visit.open(context, url, { person }), await Visit.open(context, url)];
  for (const tab of tabs) await tab.shows("TODO: Not for long");
  await set(api, "setUserActive", "SetUserActiveInput", { userId: (await person.me()).id, isActive: false });
  for (const tab of tabs) {
    await tab.says("signedOut", "idle", "SIGNED_OUT");
    await tab.shows();
    await tab.wasClean();
  }
}

/** Who signs out everywhere is signed out of the open pages of other browsers. */
export async function signsOutEverywhere({ api, url, context }) {
  const person = await newUser(api);
  const visit = await Visit.open(context, url, { person });
  await person.ask("mutation { logoutAll { userErrors { message } } }");
  await visit.says("signedOut", "idle", "SIGNED_OUT");
  await visit.wasClean();
}

/** With another role the page says so, reads its list again, and follows what the user sees now. */
export async function followsItsRole({ api, url, context }) {
  const [person, other] = [await newUser(api), await newUser(api)];
  await person.create({ title: "Mine" });
  const userId = (await person.me()).id;
  const visit = await Visit.open(context, url, { person });
  await visit.shows("TODO: Mine");
  const foreign = await other.create({ title: "Of another" });
  const line = (text) => visit.page.getByRole("listitem").filter({ hasText: text });

  await set(api, "setUserRole", "SetUserRoleInput", { userId, role: "MODERATOR" });
  await visit.says("MODERATOR", "connected");
  await line("TODO: Of another").waitFor();
  await other.move(foreign.id, "DONE");
  await line("DONE: Of another").waitFor();

  await set(api, "setUserRole", "SetUserRoleInput", { userId, role: "USER" });
  await visit.says("USER", "connected");
  await visit.shows("TODO: Mine");
  await other.move(foreign.id, "TODO");
  await person.create({ title: "Mine, too" });
  await visit.shows("TODO: Mine", "TODO: Mine, too");
  await visit.wasClean();
}
