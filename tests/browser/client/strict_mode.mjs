// React's StrictMode, in a development build: it mounts each component twice.
import assert from "node:assert/strict";
import { newUser } from "../board/people.mjs";
import { until } from "../stage.mjs";
import { Visit } from "./visit.mjs";

/** How many subscriptions the server has, by its metrics. */
async function subscriptions(metrics) {
  const text = await (await fetch(metrics)).text();
  return Number(/^taskriver_subscriptions (\S+)$/m.exec(text)?.[1]);
}

/** The server has one subscription of a component that StrictMode mounts twice, also when it is mounted again; then none. */
export async function subscribesOnceUnderStrictMode({ api, url, context, metrics }) {
  const person = await newUser(api);
  const visit = await Visit.open(context, url, { person });
  const are = (count) => until(async () => (await subscriptions(metrics)) === count, `the server has ${count} subscriptions`);
  await are(1);
  assert.equal(await visit.page.evaluate(() => window.seen.mounts), 2);
  await person.create({ title: "Once" });
  await visit.shows("TODO: Once");
  assert.equal((await visit.status()).connections, 1);
  await visit.page.getByRole("button", { name: "Stop" }).click();
  await are(0);
  await visit.page.getByRole("button", { name: "Follow" }).click();
  await visit.shows("TODO: Once");
  await are(1);
  assert.equal(await visit.page.evaluate(() => window.seen.mounts), 4);
  await person.create({ title: "Again" });
  await visit.shows("TODO: Once", "TODO: Again");
  await are(1);
  await visit.receives("CREATED: Once", "CREATED: Again");
  // An idle connection is closed after a second, so the page has used the first one again or has opened another one.
  assert.ok((await visit.status()).connections <= 2);
  await visit.wasClean();
}
