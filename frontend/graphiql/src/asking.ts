import { type Authorizer, execute, RequestError, type Session } from "@taskriver/client";
import type { ExecutionResult } from "graphql";

export interface Payload {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly operationName?: string | null;
}

type Headers = Record<string, string>;

/** Sends one query or mutation as the signed-in user; with an own `Authorization` header instead of the session's. */
export async function ask(session: Session, payload: Payload, headers: Headers = {}): Promise<ExecutionResult> {
  const sender = named(headers, "authorization") === undefined ? session : anonymous(session);
  try {
    return (await execute(sender, payload, { headers })) as ExecutionResult;
  } catch (error) {
    // Without an answer of who is signed in, the server can still be asked what is public.
    if (sender === session && session.state.status === "unknown") return ask(anonymous(session) as Session, payload, headers);
    return failed(error);
  }
}

/** The value of a header, whatever the case of its name. */
export function named(headers: Headers, name: string): string | undefined {
  return Object.entries(headers).find(([each]) => each.toLowerCase() === name)?.[1];
}

/** A problem in the shape of an answer, for GraphiQL to show. */
export function failed(problem: unknown): ExecutionResult {
  const errors = problem instanceof RequestError && problem.errors.length ? problem.errors : [{ message: words(problem) }];
  return { errors } as ExecutionResult;
}

function anonymous({ url, credentials }: Session): Authorizer {
  return { url, credentials, authorize: async () => null };
}

function words(problem: unknown): string {
  return problem instanceof Error ? problem.message : "The server cannot be reached.";
}
