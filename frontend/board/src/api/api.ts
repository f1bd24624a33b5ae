// How the board asks: urql over HTTP, its subscriptions over a graphql-ws client that resumes.
import { Client, fetchExchange, subscriptionExchange, type CombinedError, type OperationResult } from "@urql/core";

import type { Session } from "../../../common/session";
import { createLine, type Line, type LineHooks } from "../stream/line";
import type { TypedDocumentString } from "./gql/graphql";

/** The request as a whole was not served. `code` is the server's, or `NO_ANSWER`: then nobody knows what was done. */
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
  /** Hears until the returned function is called; *next* gets each result once, in order. */
  hear<Data, Variables extends object>(
    document: Document<Data, Variables>, variables: Variables, next: (data: Data) => void,
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
    exchanges: [
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query = "", variables }) => ({
          subscribe: (sink) => ({
            unsubscribe: line.subscribe({ query, variables: variables as Record<string, unknown> }, sink),
          }),
        }),
      }),
    ],
  });

  const ask: Api["ask"] = async (document, variables, key) => {
    const token = await session.accessToken().catch(noAnswer);
    const first = await send(client, document, variables, token, key);
    if (codeOf(first.error) !== "UNAUTHENTICATED") return dataOf(first);
    const another = await session.accessToken(token ?? undefined).catch(noAnswer);
    return dataOf(await send(client, document, variables, another, key));
  };

  const hear: Api["hear"] = (document, variables, next) =>
    client.subscription(document.toString(), variables).subscribe(({ data, error }) => {
      if (data) next(data);
      if (error) hooks.ended(error.message);
    }).unsubscribe;

  return { ask, hear, line };
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

function dataOf<Data>({ data, error }: OperationResult<Data>): Data {
  if (data && !error) return data;
  throw new Failure(error?.graphQLErrors[0]?.message ?? "The server did not answer.", codeOf(error));
}

function codeOf(error: CombinedError | undefined): string {
  const first = error?.graphQLErrors[0];
  return first ? String(first.extensions["code"] ?? "INTERNAL") : "NO_ANSWER";
}

function noAnswer(): never {
  throw new Failure("The server did not answer.", "NO_ANSWER");
}
