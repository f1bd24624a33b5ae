// How the board sends requests and subscribes: with the client package, as its user.
import { ask, createStream, type AskOptions, type RequestError, type Session } from "@taskriver/client";

import { wordsFor, type LineHooks } from "../stream/line";
import type { TypedDocumentString } from "./gql/graphql";

type Document<Data, Variables> = TypedDocumentString<Data, Variables>;

export interface Api {
  /** Throws `RequestError`. */
  ask<Data, Variables extends object>(
    document: Document<Data, Variables>, variables: Variables, options?: AskOptions,
  ): Promise<Data>;
  /**
   * Subscribes until the returned function is called; *next* gets each result once, in order. Errors in a result do not end
   * the stream: null stands for a result that has nothing else.
   */
  receive<Data, Variables extends object>(
    document: Document<Data, Variables>, variables: Variables, next: (data: Data | null) => void,
  ): () => void;
  /** Closes the connection, as a bad network does, and reconnects after so many milliseconds. */
  reconnect(delay?: number): void;
  /** Ends the stream. */
  end(): void;
  readonly session: Session;
}

export function createApi(session: Session, hooks: LineHooks): Api {
  const stream = createStream({ session, onResync: ({ reason }) => hooks.resync(reason ?? "unknown") });
  stream.onCursor((cursor) => hooks.stands(cursor));
  let last = stream.status;
  stream.onStatus(() => {
    const before = last;
    last = stream.status;
    if (last.connections > before.connections) hooks.connected();
    else if (last.state === "waiting" && last.error) hooks.lost(wordsFor(last.error));
  });

  const receive: Api["receive"] = (query, variables, next) =>
    stream.subscribe({ query, variables }, {
      next: ({ data }) => next((data as never) ?? null),
      error: (error: RequestError) => hooks.ended(error.code === "SIGNED_OUT" ? "You are signed out." : error.message),
      complete: () => last.state === "closed" || hooks.ended("The server ended the stream."),
    });

  return {
    session,
    ask: (query, variables, options) => ask(session, { query, variables }, options),
    receive,
    reconnect: stream.reconnect,
    end: stream.dispose,
  };
}
