// How the pages send requests: with the client package, as its user.
import { ask, type Session } from "@taskriver/client";

import { wrong, type Problem } from "../../../common/problem";
import type { ErrorCode, TypedDocumentString } from "./gql/graphql";

type Document<Data, Variables> = TypedDocumentString<Data, Variables>;

interface Payload {
  readonly userErrors: readonly { readonly code: ErrorCode; readonly message: string; readonly path: readonly string[] }[];
}

export type Changed<Result> = { readonly result: Result; readonly problem: null } | { readonly result: null; readonly problem: Problem };

/** Throws `RequestError`. */
export function read<Data, Variables extends object>(
  session: Session, query: Document<Data, Variables>, variables: Variables,
): Promise<Data> {
  return ask(session, { query, variables });
}

/** Sends a mutation that answers its payload as `result`. *fields* are those of the form, at which errors are shown. */
export async function change<Result extends Payload, Input extends object>(
  session: Session, query: Document<{ result: Result | null }, { input: Input }>, input: Input, fields: readonly string[] = [],
): Promise<Changed<Result>> {
  try {
    const { result } = await ask(session, { query, variables: { input } });
    const [refusal] = result?.userErrors ?? [];
    if (refusal) {
      const field = refusal.path.find((name) => fields.includes(name)) ?? null;
      return { result: null, problem: { field, text: refusal.message } };
    }
    return result ? { result, problem: null } : { result: null, problem: wrong("The server sent no result. Try again.") };
  } catch (error) {
    return { result: null, problem: wrong(inWords(error)) };
  }
}

export function inWords(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
