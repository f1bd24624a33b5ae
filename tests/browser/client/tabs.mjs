// Two tabs of one browser.
import assert from "node:assert/strict";
import { newUser } from "../board/people.mjs";
import { Visit } from "./visit.mjs";

/** The stream of each tab delivers each change once, also those of the time between two connections. */
export async function deliversEachChangeOnceInEachTab({ api, url, context, wire }) {
  const person = await newUser(api);
  const one = await Visit.open(context, url, { person, url: `${wire.url}/graphql`, maxDelay: 100 });
  const other = await Visit.open(context, url, { url: `${wire.url}/graphql`, maxDelay: 100 });
  await other.live();
  assert.equal(other.renewals, 1); // It has no token of its own: it continues the session by the cookie.
  const first = await person.create({ title: "First" });
  for (const tab of [one, other]) await tab.shows("TODO: First");
  wire.cut();
  for (const tab of [one, other]) await tab.page.waitForFunction(() => window.app.stream.status.state !== "connected");
  await person.move(first.id, "DONE");
  const second = await person.create({ title: "Second" });
  wire.mend();
  await person.move(second.id, "IN_PROGRESS");
  for (const tab of [one, other]) {
    await tab.shows("DONE: First", "IN_PROGRESS: Second");
    await tab.receives("CREATED: First", "STATUS: First", "CREATED: Second", "STATUS: Second");
    await tab.wasClean();
  }
}

/** A sign-out and the sign-in of another user reach the other tab: its stream is that user's, and it shows that user's tasks. */
export async function switchesTheUserInAllTabs({ api, url, context }) {
  const [ada, bob] = [await newUser(api), await newUser(api)];
  const shared = await ada.create({ title: "Of both", assigneeId: (await bob.me()).id });
  await ada.create({ title: "Of Ada" });
  const one = await Visit.open(context, url, { person: bob });
  const other = await Visit.open(context, url);
  for (const tab of [one, other]) await tab.shows("TODO: Of both");
  await ada.assign(shared.id, null);
  for (const tab of [one, other]) await tab.shows(); // Bob does not see it any more; Ada still does.

  await one.signOut();
  for (const tab of [one, other]) await tab.says("signedOut", "idle", "SIGNED_OUT");

  await one.signIn(ada);
  for (const tab of [one, other]) {
    await tab.says("signedIn", ada.username, "connected");
    await tab.shows("TODO: Of both", "TODO: Of Ada");
  }
  await ada.move(shared.id, "DONE");
  for (const tab of [one, other]) {
    await tab.shows("DONE: Of both", "TODO: Of Ada");
    await tab.wasClean();
  }

  await other.signIn(bob); // without a sign-out before
  for (const tab of [one, other]) {
    await tab.says("signedIn", bob.username, "connected");
    await tab.shows();
    assert.equal(await tab.page.evaluate(() => window.app.stream.status.error), null);
  }
}
