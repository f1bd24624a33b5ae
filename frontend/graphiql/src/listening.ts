import type { Observable } from "@graphiql/toolkit";
import { type Authorizer, createStream, RequestError, type Session } from "@taskriver/client";
import type { ExecutionResult } from "graphql";
import { failed, type Payload } from "./asking";
import type { EventLog } from "./event-log";

/** How the stream of the open tab is: `events` of them have come so far. */
export interface StreamState {
  readonly connection: "connecting" | "live";
  readonly events: number;
}

export interface Sink {
  next(result: ExecutionResult): void;
  error(problem: unknown): void;
  complete(): void;
}

/** What GraphiQL takes for an observable; of the shapes that its type has, this is the one that it uses. */
export type Listening = Observable<ExecutionResult>;

/**
 * Listens over a socket that comes back by itself, with a new token when the old one has expired; where the document
 * selects `cursor` and takes `$after`, without a gap. *authorization*, if given, is used instead of the session.
 * *onState* receives each state; null: the subscription has ended.
 */
export function listen(
  session: Session,
  payload: Payload,
  authorization: string | undefined,
  log: EventLog,
  onState: (state: StreamState | null) => void,
): Listening {
  return {
    subscribe(sink: Sink) {
      let state: StreamState | null = null;
      const notify = (changes: Partial<StreamState> | null) =>
        onState((state = changes && { connection: "connecting", events: 0, ...state, ...changes }));
      const stream = createStream({ session: authorization ? fixed(session, authorization) : session });
      stream.onStatus(() => {
        if (state) notify({ connection: stream.status.state === "connected" ? "live" : "connecting" });
      });
      const finish = () => (notify(null), sink.complete(), stream.dispose());
      const wasSignedIn = session.state.user !== null;
      notify({});
      const end = stream.subscribe(payload, {
        next: (result) => {
          notify({ events: (state?.events ?? 0) + 1 });
          log.add(payload.operationName ?? "subscription", result as ExecutionResult);
          sink.next(result as ExecutionResult);
        },
        error: (problem) => (sink.next(failed(inWords(problem, wasSignedIn))), finish()),
        complete: () => state && finish(),
      });
      return { unsubscribe: () => (notify(null), end(), stream.dispose()) };
    },
  } as Listening;
}

/** The token that a person has entered. */
function fixed({ url }: Session, authorization: string): Authorizer {
  const token = authorization.replace(/^Bearer\s+/i, "");
  return { url, authorize: async () => ({ token, user: null }) };
}

function inWords(problem: RequestError, wasSignedIn: boolean): unknown {
  if (problem.code === "SIGNED_OUT" || problem.code === "USER_CHANGED") {
    return new Error(wasSignedIn ? "You have signed out, and the stream has ended." : "Sign in to listen, in the bar above.");
  }
  if (problem.closeCode === undefined) return problem;
  return new Error(`The server closed the socket: ${problem.message}.`);
}
