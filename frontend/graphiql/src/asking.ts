import type { ExecutionResult } from "graphql";
import type { Session } from "../../common/session";

export interface Payload {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly operationName?: string | null;
}

type Headers = Record<string, string>;

/** Sends one query or mutation as the signed-in user, once more with a new token if the old one was refused. */
export async function ask(session: Session, payload: Payload, headers: Headers = {}): Promise<ExecutionResult> {
  if (named(headers, "authorization") !== undefined) return post(session.url, payload, headers);
  const token = await session.accessToken().catch(() => null);
  const result = await post(session.url, payload, bearing(headers, token));
  if (!token || !isUnauthenticated(result)) return result;
  const another = await session.accessToken(token);
  return another ? post(session.url, payload, bearing(headers, another)) : result;
}

/** The value of a header, whatever the case of its name. */
export function named(headers: Headers, name: string): string | undefined {
  return Object.entries(headers).find(([each]) => each.toLowerCase() === name)?.[1];
}

/** A problem in the shape of an answer, for GraphiQL to show. */
export function failed(problem: unknown): ExecutionResult {
  const errors = Array.isArray(problem) ? problem : [{ message: words(problem) }];
  return { errors } as ExecutionResult;
}

function words(problem: unknown): string {
  if (problem instanceof CloseEvent) return `The server closed the socket: ${problem.reason || problem.code}.`;
  return problem instanceof Error ? problem.message : "The server cannot be reached.";
}

function bearing(headers: Headers, token: string | null): Headers {
  return token ? { ...headers, authorization: `Bearer ${token}` } : headers;
}

function isUnauthenticated(result: ExecutionResult): boolean {
  return result.errors?.some((error) => error.extensions?.code === "UNAUTHENTICATED") ?? false;
}

async function post(url: string, payload: Payload, headers: Headers): Promise<ExecutionResult> {
  const body = JSON.stringify(payload);
  // The older media type, whose answers have the status 200: others make the browser's console look broken.
  const known = { "content-type": "application/json", accept: "application/json" };
  try {
    const response = await fetch(url, { method: "POST", headers: { ...known, ...headers }, body });
    return await response.json();
  } catch {
    return failed("unreachable");
  }
}
