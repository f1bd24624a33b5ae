import type { Observable } from "@graphiql/toolkit";
import type { ExecutionResult } from "graphql";
import { createResumableClient } from "../../../examples/resumable/resumable.mjs";
import type { Session } from "../../common/session";
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

/** No use in trying again; what it says is for the person to read. */
class Hopeless extends Error {
  readonly fatal = true;
}

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
      const client = createResumableClient({
        url: new URL(session.url, location.href.replace(/^http/, "ws")).href,
        accessToken: authorization ? () => authorization.replace(/^Bearer\s+/i, "") : tokensOf(session),
        on: { connected: () => notify({ connection: "live" }), closed: () => state && notify({ connection: "connecting" }) },
      });
      const finish = () => (notify(null), sink.complete());
      notify({});
      const end = client.subscribe(payload as never, {
        next: (result: ExecutionResult) => {
          notify({ events: (state?.events ?? 0) + 1 });
          log.add(payload.operationName ?? "subscription", result);
          sink.next(result);
        },
        error: (problem: unknown) => (sink.next(failed(problem)), finish()),
        complete: finish,
      });
      return { unsubscribe: () => (notify(null), end(), void client.dispose()) };
    },
  } as Listening;
}

/** Gives the session's token; a new one when the socket was closed because the last one holds no more. */
function tokensOf(session: Session): (refused: boolean) => Promise<string> {
  let last: string | null = null;
  return async (refused) => {
    const before = last;
    last = await session.accessToken((refused && before) || undefined);
    if (last) return last;
    throw new Hopeless(before ? "You have signed out, and the stream has ended." : "Sign in to listen, in the bar above.");
  };
}
