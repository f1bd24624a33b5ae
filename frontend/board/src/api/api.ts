// How the board asks: urql over HTTP, and for subscriptions a graphql-ws client that resumes.
import { Client, fetchExchange, type CombinedError, type OperationResult } from "@urql/core";

import type { Session } from "../../../common/session";
import { createLine, type Line, type LineHooks } from "../stream/line";
import type { TypedDocumentString } from "./gql/graphql";

/** The request as a whole was not served. `code` is the server's, or `NO_ANSWER`: then the result is unknown. */
export class Failure extends Error {
  constructor(message: string, readonly code: string) {
    super(message);
    this.name = "Failure";
  }

  /** Whether the same, asked again, may well be answered. */
  get passes(): boolean {
    return this.code === "NO_ANSWER" || this.code === "UNAVAILABLE";
  }
}

type Document<Data, Variables> = TypedDocumentString<Data, Variables>;

export interface Api {
  /** Asks, with a fresh token if the last one is not accepted any more. Throws `Failure`. */
  ask<Data, Variables extends object>(
    document: Document<Data, Variables>, variables: Variables, key?: string,
  ): Promise<Data>;
  /**
   * Subscribes until the returned function is called; *next* gets each result once, in order. Errors in a result do not end
   * the stream: null stands for a result that has nothing else.
   */
  receive<Data, Variables extends object>(
    document: Document<Data, Variables>, variables: Variables, next: (data: Data | null) => void,
  ): () => void;
  readonly line: Line;
}

const PATIENCE = 15_000;

export function createApi(session: Session, hooks: LineHooks): Api {
  const line = createLine(session, hooks);
  const client = new Client({
    url: session.url,
    preferGetMethod: false,
    fetch: patiently,
    exchanges: [fetchExchange],
  });

  const ask: Api["ask"] = async (document, variables, key) => {
    const token = await session.accessToken().catch(noAnswer);
    const first = await send(client, document, variables, token, key);
    if (codeOf(first.error) !== "UNAUTHENTICATED") return dataOf(first);
    const another = await session.accessToken(token ?? undefined).catch(noAnswer);
    return dataOf(await send(client, document, variables, another, key));
  };

  const receive: Api["receive"] = <Data, Variables extends object>(
    document: Document<Data, Variables>, variables: Variables, next: (data: Data | null) => void,
  ) => {
    let over = false;
    const ended = (why: string) => over || hooks.ended(why);
    const payload = { query: document.toString(), variables: variables as Record<string, unknown> };
    const stop = line.subscribe(payload, {
      next: ({ data }: { data?: Data | null }) => next(data ?? null),
      error: (error: unknown) => ended(messageOf(error)),
      complete: () => ended("The server ended the stream."),
    });
    return () => {
      over = true;
      stop();
    };
  };

  return { ask, receive, line };
}

/** What is not answered for so long is not waited for any more; urql itself would wait for ever. */
const patiently: typeof fetch = (input, init) => {
  const late = AbortSignal.timeout(PATIENCE);
  return fetch(input, { ...init, signal: init?.signal ? AbortSignal.any([init.signal, late]) : late });
};

function send<Data, Variables extends object>(
  client: Client, document: Document<Data, Variables>, variables: Variables, token: string | null, key?: string,
): Promise<OperationResult<Data>> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (token !== null) headers["authorization"] = `Bearer ${token}`;
  if (key) headers["idempotency-key"] = key;
  // Queries, too: urql would give two of the same words one answer, and the later one wants what is true by then.
  return client.mutation<Data>(document.toString(), variables, { fetchOptions: { headers } }).toPromise();
}

/** An error deep inside an answer leaves a field empty; the rest of it counts. One at the top leaves nothing. */
function dataOf<Data>({ data, error }: OperationResult<Data>): Data {
  if (data && (!error || Object.values(data).every((value) => value !== null))) return data;
  throw new Failure(error?.graphQLErrors[0]?.message ?? "The server did not answer.", codeOf(error));
}

function codeOf(error: CombinedError | undefined): string {
  const first = error?.graphQLErrors[0];
  return first ? String(first.extensions["code"] ?? "INTERNAL") : "NO_ANSWER";
}

/** What ended a subscription: an error, a list of GraphQL's, or the event that closed the socket. */
function messageOf(error: unknown): string {
  const [first] = Array.isArray(error) ? error : [error];
  const { message, reason } = (first ?? {}) as { message?: string; reason?: string };
  return message || reason || "The stream ended.";
}

function noAnswer(): never {
  throw new Failure("The server did not answer.", "NO_ANSWER");
}
