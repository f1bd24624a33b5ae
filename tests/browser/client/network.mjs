// Offline, and online again.
import { newUser } from "../board/people.mjs";
import { Visit } from "./visit.mjs";

const HOUR = 3_600_000;

/** When the browser is online again, the page does not wait for its next attempt; it has missed nothing. */
export async function isLiveWhenTheBrowserIsOnline({ api, url, context, wire }) {
  const person = await newUser(api);
  const visit = await Visit.open(context, url, { person, url: `${wire.url}/graphql`, minDelay: HOUR, maxDelay: HOUR });
  await context.setOffline(true);
  wire.cut(); // Chromium's switch does not end open WebSockets.
  await visit.says("waiting", "signedIn");
  const { id } = await person.create({ title: "Missed" });
  await person.move(id, "DONE");
  wire.mend();
  const start = Date.now();
  await context.setOffline(false);
  await visit.shows("DONE: Missed");
  const duration = Date.now() - start;
  await visit.receives("CREATED: Missed", "STATUS: Missed");
  await visit.says("connected", "signedIn");
  await visit.wasClean();
  return `live ${duration} ms after it is online`;
}

/** Without a sign of the browser, such as after a failure of the server, it comes back by itself. */
export async function comesBackByItself({ api, url, context, wire }) {
  const person = await newUser(api);
  const visit = await Visit.open(context, url, { person, url: `${wire.url}/graphql` });
  wire.cut();
  await visit.says("waiting", "signedIn");
  await person.create({ title: "Missed" });
  wire.mend();
  await visit.shows("TODO: Missed");
  await visit.receives("CREATED: Missed");
  await visit.wasClean();
}
