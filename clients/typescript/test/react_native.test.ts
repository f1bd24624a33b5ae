// React Native: no window, document, BroadcastChannel, locks or crypto; its AbortController and URL are older than the standards.
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { ask, createSession, createStream, type Session } from "../src/index.js";
import { Api, PASSWORD } from "./api.js";
import { settle, until } from "./until.js";

/** As in `abort-controller` 3, which React Native contains: `abort` has no reason. */
class OldAbortController {
  readonly signal = Object.assign(new EventTarget(), { aborted: false });

  abort(): void {
    if (this.signal.aborted) return;
    this.signal.aborted = true;
    this.signal.dispatchEvent(new Event("abort"));
  }
}

const RealURL = URL;

/** As in React Native: an address gets a slash at its end. */
class OldURL {
  readonly href: string;

  constructor(url: string, base?: string) {
    this.href = `${new RealURL(url, base).href}/`;
  }
}

let api: Api;
let session: Session;
const kept: (string | null)[] = [];
const storage = { get: () => kept.at(-1), set: (token: string | null) => void kept.push(token) };

beforeEach(() => {
  for (const name of ["window", "document", "navigator", "location", "BroadcastChannel", "crypto", "addEventListener"]) vi.stubGlobal(name, undefined);
  vi.stubGlobal("AbortController", OldAbortController);
  vi.stubGlobal("URL", OldURL);
  kept.length = 0;
  api = new Api();
  session = createSession({ url: "http://api.test/graphql", credentials: storage, fetch: api.fetch });
});

afterEach(() => {
  session.dispose();
  vi.unstubAllGlobals();
});

test("Requests and sign-ins work, and an end has its reason.", async () => {
  await session.signIn("alice", PASSWORD);
  expect(await ask(session, { query: "{ ok }" }, { idempotencyKey: true })).toEqual({ ok: true });
  api.next.push(() => new Promise(() => {}));
  await expect(ask(session, { query: "{ ok }" }, { timeout: 10 })).rejects.toMatchObject({ code: "TIMEOUT" });
  api.next.push(() => new Promise(() => {}));
  const asking = expect(ask(session, { query: "{ ok }" }, { retries: 5 })).rejects.toMatchObject({ code: "USER_CHANGED" });
  await settle();
  await session.signIn("bob", PASSWORD);
  await asking;
  const controller = new AbortController();
  controller.abort();
  await expect(ask(session, { query: "{ ok }" }, { signal: controller.signal })).rejects.toMatchObject({ code: "ABORTED" });
});

test("A stream connects to the address of the API as it is.", async () => {
  const addresses: string[] = [];
  class Socket {
    constructor(address: string) {
      addresses.push(address);
    }

    close(): void {}
  }
  await session.signIn("alice", PASSWORD);
  const stream = createStream({ session, webSocket: Socket as never });
  stream.subscribe({ query: "subscription { taskChanged { cursor } }" }, { next: () => {} });
  await until(() => addresses.length > 0);
  expect(addresses).toEqual(["ws://api.test/graphql"]);
  stream.dispose();
});
