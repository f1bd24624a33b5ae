// A stream with a server whose every step a test decides, and virtual time.
import { afterEach, beforeEach, vi } from "vitest";

import { createStream, type GraphQLResult, type RequestError, type Stream, type StreamOptions } from "../src/index.js";
import { FakeSession } from "./fake_session.js";
import { SocketServer, webSocket } from "./socket_server.js";
import { useVirtualTime } from "./until.js";

export const query = "subscription ($after: String) { taskChanged(after: $after) { __typename cursor task { id } } }";

/** What a subscription receives. */
export class Received {
  readonly results: GraphQLResult[] = [];
  readonly errors: RequestError[] = [];
  completed = 0;

  next = (result: GraphQLResult): void => void this.results.push(result);
  error = (error: RequestError): void => void this.errors.push(error);
  complete = (): void => void this.completed++;

  get cursors(): string[] {
    return this.results.flatMap(({ data }) => (data as { taskChanged?: { cursor: string } } | null)?.taskChanged?.cursor ?? []);
  }
}

export class Stage {
  server!: SocketServer;
  session!: FakeSession;
  readonly #streams: Stream[] = [];

  stream(options: Partial<StreamOptions> = {}): Stream {
    const created = createStream({ session: this.session, webSocket, ...options });
    this.#streams.push(created);
    return created;
  }

  async begin(): Promise<void> {
    useVirtualTime();
    this.server = await SocketServer.start();
    this.session = new FakeSession(this.server.url);
  }

  async end(): Promise<void> {
    for (const each of this.#streams.splice(0)) each.dispose();
    await this.server.stop();
    vi.useRealTimers();
  }
}

/** A stage of its own for each test of a file. */
export function aStage(): Stage {
  const stage = new Stage();
  beforeEach(() => stage.begin());
  afterEach(() => stage.end());
  return stage;
}

export function subscribed(to: Stream, after: string | null = "start"): Received & { stop: () => void } {
  const received = new Received();
  return Object.assign(received, { stop: to.subscribe({ query, variables: { after } }, received) });
}

export const item = (cursor: string, rest: object = {}) => ({ __typename: "TaskChanged", cursor, ...rest });
export const resync = (cursor: string, reason = "EPOCH") => ({ __typename: "ResyncRequired", cursor, reason });
