import type { Fetcher, FetcherParams } from "@graphiql/toolkit";
import type { Session } from "@taskriver/client";
import { getOperationAST, Kind, type OperationDefinitionNode, parse } from "graphql";
import { ask, named } from "./asking";
import type { Directives } from "./directives";
import type { EventLog } from "./event-log";
import { listen, type StreamState } from "./listening";

const INTROSPECTION = "IntrospectionQuery";

/** How GraphiQL sends operations: over HTTP; subscriptions over a socket, whose events go into *log*, too. */
export function fetcherOf(
  session: Session,
  directives: Directives,
  log: EventLog,
  onState: (state: StreamState | null) => void,
): Fetcher {
  return async (payload, { headers = {} } = {}) => {
    if (payload.operationName === INTROSPECTION) await directives.read();
    const operation = operationOf(payload);
    const request = { ...payload, operationName: operation?.name?.value ?? payload.operationName };
    return operation?.operation === "subscription"
      ? listen(session, request, named(headers, "authorization"), log, onState)
      : ask(session, request, headers);
  };
}

/** Asks the document itself: GraphiQL notices somewhat later than one can click that another tab is open. */
function operationOf({ query, operationName }: FetcherParams): OperationDefinitionNode | null | undefined {
  try {
    const document = parse(query);
    const operations = document.definitions.filter((each) => each.kind === Kind.OPERATION_DEFINITION);
    return operations.length === 1 ? operations[0] : getOperationAST(document, operationName);
  } catch {
    return null; // The server says best what is wrong with it.
  }
}
