// @vitest-environment happy-dom
import { act, StrictMode, type ReactNode } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, test } from "vitest";

import { createCache, createSession, createStream, type GraphQLResult, type Session, type Stream } from "../src/index.js";
import { useCached, useSession, useStream, useStreamStatus } from "../src/react.js";
import { Api, failure, PASSWORD } from "./api.js";
import { SocketServer, webSocket } from "./socket_server.js";
import { settle, turn, until } from "./until.js";

const query = "subscription ($after: String) { taskChanged(after: $after) { __typename cursor } }";

let api: Api;
let server: SocketServer;
let session: Session;
let stream: Stream;
let root: Root;
const page = document.createElement("main");

beforeEach(async () => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  api = new Api();
  server = await SocketServer.start();
  session = createSession({ url: server.url, fetch: api.fetch });
  stream = createStream({ session, webSocket });
  root = createRoot(page);
});

afterEach(async () => {
  await act(async () => root.unmount());
  stream.dispose();
  session.dispose();
  await server.stop();
});

function render(content: ReactNode): Promise<void> {
  return act(async () => root.render(<StrictMode>{content}</StrictMode>));
}

/** Waits for a text. React renders when `act` ends, so it ends again and again. */
function shows(text: string): Promise<void> {
  return until(async () => (await act(turn), page.textContent === text), `the page shows ${text}`);
}

function Who() {
  const { status, user, error } = useSession(session);
  return <>{status} {user?.username} {error?.code}</>;
}

test("useSession continues an earlier session, once under StrictMode.", async () => {
  api.cookie = "alice";
  await render(<Who />);
  await shows("signedIn alice ");
  expect(api.refreshes).toBe(1);
  await act(() => session.signOut());
  expect(page.textContent).toBe("signedOut  ");
});

test("Fault 15: useSession tells a failure of the network from a sign-out.", async () => {
  api.next.push(failure("UNAVAILABLE"));
  await render(<Who />);
  await shows("unknown  UNAVAILABLE");
});

interface Item {
  taskChanged: { cursor: string };
}

function Changes({ after, onItem }: { after: string | null; onItem?: (result: GraphQLResult<Item>) => void }) {
  const { result, error, isComplete } = useStream<Item>(stream, after === null ? null : { query, variables: { after } }, {
    ...(onItem && { next: onItem }),
  });
  const status = useStreamStatus(stream);
  return <>{status.state} {result?.data?.taskChanged?.cursor} {error?.code} {result?.errors?.length} {String(isComplete)}</>;
}

test("useStream subscribes once under StrictMode, and keeps its connection when it is mounted again.", async () => {
  await session.signIn("alice", PASSWORD);
  const items: string[] = [];
  const onItem = ({ data }: GraphQLResult<Item>) => void items.push(data!.taskChanged.cursor);
  await render(<Changes after="0" onItem={onItem} />);
  const peer = await act(() => server.peer(1));
  const { id, payload } = await act(() => peer.operation());
  expect(payload!.variables).toEqual({ after: "0" });
  await act(async () => {
    for (const cursor of ["1", "2", "3"]) peer.item(id, { cursor });
    await until(() => items.length === 3);
  });
  expect(items).toEqual(["1", "2", "3"]);
  expect(page.textContent).toBe("connected 3   false");
  await render(<Changes after="0" onItem={(result) => void items.push(`again ${result.data!.taskChanged.cursor}`)} />);
  await act(async () => {
    peer.item(id, { cursor: "4" });
    await until(() => items.length === 4);
  });
  expect(items[3]).toBe("again 4");
  await render(null);
  await render(<Changes after="4" />);
  expect((await act(() => peer.operation(2))).payload!.variables).toEqual({ after: "4" });
  expect(server.peers).toHaveLength(1);
});

test("useStream without a request does not subscribe; another request is another subscription.", async () => {
  await session.signIn("alice", PASSWORD);
  await render(<Changes after={null} />);
  await act(() => settle());
  expect(server.peers).toHaveLength(0);
  await render(<Changes after="1" />);
  const peer = await act(() => server.peer(1));
  const first = await act(() => peer.operation());
  await render(<Changes after="2" />);
  const second = await act(() => peer.operation(2));
  expect(second.payload!.variables).toEqual({ after: "2" });
  await act(() => until(() => peer.of("complete").some(({ id }) => id === first.id)));
});

test("Fault 5: an error in a result is not the end; the end of the transport is.", async () => {
  await session.signIn("alice", PASSWORD);
  await render(<Changes after="0" />);
  const peer = await act(() => server.peer(1));
  const { id } = await act(() => peer.operation());
  peer.item(id, { cursor: "1" }, { errors: [{ message: "No assignee." }] });
  await shows("connected 1  1 false");
  peer.item(id, { cursor: "2" });
  await shows("connected 2   false");
  peer.close(4400);
  await shows("idle 2 CONNECTION_REFUSED  false");
});

test("useCached renders only when its object changes.", async () => {
  const cache = createCache();
  let renderings = 0;
  function Title({ id }: { id: string }) {
    renderings++;
    return <>{String(useCached(cache, id)?.["title"])}</>;
  }
  await render(<Title id="1" />);
  const task = (id: string, version: number) => ({ task: { id, version, title: `${id} at ${version}` } });
  await act(async () => void cache.write(task("1", 1)));
  expect(page.textContent).toBe("1 at 1");
  const before = renderings;
  await act(async () => void cache.write(task("2", 1)));
  expect(renderings).toBe(before);
  await act(async () => cache.delete("1"));
  expect(page.textContent).toBe("undefined");
});

test("A component whose session is another one follows it (hot module replacement).", async () => {
  await render(<Who />);
  await shows("signedOut  ");
  const next = new Api();
  next.cookie = "bob";
  session.dispose();
  session = createSession({ url: server.url, fetch: next.fetch });
  await render(<Who />);
  await shows("signedIn bob ");
});
