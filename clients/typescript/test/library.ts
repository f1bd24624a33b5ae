// What a GraphQL library stands on: a signed-in session, a stream with a server that a test controls, and a cache.
import { afterEach, beforeEach } from "vitest";

import { createCache, createSession, createStream, type Cache, type Session, type Stream } from "../src/index.js";
import { Api, PASSWORD } from "./api.js";
import { SocketServer, webSocket } from "./socket_server.js";

export class Library {
  api!: Api;
  server!: SocketServer;
  session!: Session;
  cache!: Cache;
  stream!: Stream;

  async begin(): Promise<void> {
    this.api = new Api();
    this.server = await SocketServer.start();
    this.session = createSession({ url: this.server.url, fetch: this.api.fetch });
    await this.session.signIn("alice", PASSWORD);
    this.cache = createCache();
    this.stream = createStream({ session: this.session, webSocket, cache: this.cache });
  }

  async end(): Promise<void> {
    this.stream.dispose();
    this.session.dispose();
    await this.server.stop();
  }
}

/** Another one for each test of a file. */
export function aLibrary(): Library {
  const library = new Library();
  beforeEach(() => library.begin());
  afterEach(() => library.end());
  return library;
}
