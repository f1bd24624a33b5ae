import { createChangeQueue, type ChangeQueue } from "./change_queue.js";
import { execute, type AskOptions, type AskRequest, type Authorizer, type GraphQLResult } from "./index.js";

interface Input {
  readonly id?: unknown;
  readonly expectedVersion?: unknown;
}

export type Execute = (request: AskRequest, options: AskOptions) => Promise<GraphQLResult>;

/**
 * `execute` for the mutations of a cache library. Changes of one object, whose `input` has an `id` and an `expectedVersion`, are sent one
 * after another, each with the version that the one before it made.
 */
export function createOrderedExecute(session: Authorizer): Execute {
  const queue: ChangeQueue = createChangeQueue(session);
  return (request, options) => {
    const { id, expectedVersion } = (request.variables?.["input"] ?? {}) as Input;
    if (typeof id !== "string" || typeof expectedVersion !== "number") return execute(session, request, options);
    const send = (version: number) => execute(session, withVersion(request, version), options);
    return queue.run(id, expectedVersion, send, (result) => versionOf(result, id));
  };
}

function withVersion(request: AskRequest, expectedVersion: number): AskRequest {
  const { variables = {} } = request;
  return { ...request, variables: { ...variables, input: { ...(variables["input"] as Input), expectedVersion } } };
}

/** The version of the object in the payloads of a result. */
function versionOf({ data }: GraphQLResult, id: string): number | undefined {
  const payloads = Object.values((data ?? {}) as Record<string, object | null>);
  const objects = payloads.flatMap((payload) => Object.values(payload ?? {})) as ({ id?: string; version?: number } | null)[];
  return objects.find((object) => object?.id === id)?.version;
}
