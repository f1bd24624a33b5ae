// A React page that a server has rendered.
import assert from "node:assert/strict";
import { newUser } from "../board/people.mjs";
import { render } from "./project.mjs";
import { Visit } from "./visit.mjs";

/** Node renders the page and sends nothing; the browser continues it without a difference, and the data appear. */
export async function continuesAPageThatAServerHasRendered({ api, url, context, wire, project }) {
  const markup = await render(project, `${wire.url}/graphql`);
  assert.match(markup, /<output>unknown idle<\/output>/);
  assert.equal(wire.connections, 0);
  const person = await newUser(api);
  await person.create({ title: "Rendered" });
  await Visit.open(context, url, { person });
  const visit = await Visit.open(context, url, { path: "rendered.html" });
  await visit.says("signedIn", person.username, "connected");
  await visit.shows("TODO: Rendered");
  await visit.wasClean();
}
