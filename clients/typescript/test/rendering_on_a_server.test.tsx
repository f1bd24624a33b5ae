// Without a document and without a window, as during server-side rendering.
import { renderToString } from "react-dom/server";
import { expect, test, vi } from "vitest";

const GLOBALS = ["fetch", "WebSocket", "BroadcastChannel", "setTimeout", "addEventListener"] as const;

test("Importing the modules, creating everything and rendering touch nothing of the platform.", async () => {
  const spies = GLOBALS.map((name) => {
    const spy = vi.fn();
    vi.stubGlobal(name, spy);
    return spy;
  });
  const { createCache, createSession, createStream } = await import("../src/index.js");
  const { useSession, useStream, useStreamStatus } = await import("../src/react.js");
  await Promise.all([import("../src/urql.js"), import("../src/apollo.js"), import("../src/changes.js")]);
  for (const spy of spies) spy.mockClear();
  const session = createSession({ url: "/graphql" });
  const stream = createStream({ session, cache: createCache() });
  function Page() {
    useStream(stream, { query: "subscription { taskChanged { cursor } }" });
    return <p>{useSession(session).status} {useStreamStatus(stream).state}</p>;
  }
  expect(renderToString(<Page />)).toBe("<p>unknown<!-- --> <!-- -->idle</p>");
  const calls = spies.map((spy) => spy.mock.calls.length);
  vi.unstubAllGlobals();
  expect(typeof document).toBe("undefined");
  expect(calls).toEqual(GLOBALS.map(() => 0));
});
