import { backoff, sleep } from "./backoff.js";
import type { Cache } from "./cache.js";
import { textOf, type AnyRequest, type Document } from "./document.js";
import { asRequestError, RequestError, responseError, signedOut } from "./errors.js";
import { limited, post, type GraphQLResult } from "./http.js";
import { createIdempotencyKey } from "./idempotency.js";
import type { Authorization, Authorizer } from "./session.js";
import { userError } from "./session_state.js";

export interface AskRequest<TData = unknown, TVariables = Record<string, unknown>> extends AnyRequest {
  readonly query: Document<TData, TVariables>;
  readonly variables?: TVariables | undefined;
}

export interface AskOptions {
  /** Milliseconds until the response of an attempt must be complete; default: the session's. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /**
   * For mutations: the change is made once, however often it is sent. `true`: a new key. A string: your own, to repeat a
   * change of an earlier visit.
   */
  readonly idempotencyKey?: string | boolean | undefined;
  /**
   * How often to send it again after a failure that is temporary. Default: 5 with an idempotency key, else 0. Only requests
   * that are safe to repeat may be repeated: queries, and mutations with a key.
   */
  readonly retries?: number | undefined;
  /** The longest pause in seconds that a `retryAfter` may cause (30). If the server asks for more, the request fails. */
  readonly maxRetryAfter?: number | undefined;
  /** The user of the request; default: the user who is signed in when it is made. */
  readonly userId?: string | undefined;
  /** Replaces outdated values of the response by newer ones, and stores it. */
  readonly cache?: Cache | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

const PAUSES = { minDelay: 600, maxDelay: 8_000 };

/**
 * Sends a query or a mutation, and resolves to its `data`. Throws `RequestError` if there is no response, or if one of its
 * errors has emptied a root field; `data` of the error contains the rest.
 */
export async function ask<TData, TVariables = Record<string, unknown>>(
  session: Authorizer, request: AskRequest<TData, TVariables>, options: AskOptions = {},
): Promise<TData> {
  const { data, errors } = await execute(session, request, options);
  if (data && (!errors?.length || Object.values(data).every((value) => value !== null))) return data;
  throw responseError(errors ?? [], data);
}

/**
 * Sends a query or a mutation, and resolves to its complete result, with `errors`. Throws `RequestError` only if there is
 * no response. The request belongs to one user: if another one signs in, it ends with `USER_CHANGED`.
 */
export async function execute<TData, TVariables = Record<string, unknown>>(
  session: Authorizer, request: AskRequest<TData, TVariables>, options: AskOptions = {},
): Promise<GraphQLResult<TData>> {
  const { cache } = options;
  const body = bodyOf(request, options);
  cache?.resetFor(session.state?.user?.id);
  const generation = cache?.generation;
  const actor: Actor = { userId: options.userId ?? session.state?.user?.id };
  const watch = (end: (error: RequestError) => void) => session.subscribe?.(() => {
    const error = userError(session.state, actor.userId);
    if (error) end(error);
  });
  const work = (signal: AbortSignal) => exchange<TData>({ session, actor, body, options, signal });
  const result = await limited(Infinity, options.signal, work, watch);
  return cache && result.data ? { ...result, data: cache.write(result.data, generation) } : result;
}

/** The user of one request; undefined: not known yet. */
interface Actor {
  userId: string | undefined;
}

interface Exchange {
  readonly session: Authorizer;
  readonly actor: Actor;
  readonly body: string;
  readonly options: AskOptions;
  /** Aborted when the request has ended for its caller. */
  readonly signal: AbortSignal;
}

/** Sends it until there is a response that no repetition can improve. */
async function exchange<TData>(exchanged: Exchange): Promise<GraphQLResult<TData>> {
  const { options: { idempotencyKey, retries = idempotencyKey ? 5 : 0, maxRetryAfter = 30 }, signal } = exchanged;
  for (let failures = 0; ; failures++) {
    const outcome = await attempt<TData>(exchanged).catch(asRequestError);
    const failure = outcome instanceof RequestError ? outcome : failureOf(outcome);
    if (failures < retries && failure?.isTemporary && (failure.retryAfter ?? 0) <= maxRetryAfter) {
      await sleep(backoff(failures, PAUSES, failure.retryAfter), signal);
    } else if (outcome instanceof RequestError) throw outcome;
    else return outcome;
  }
}

/** Sends it, and once more with another token if the first one is refused. */
async function attempt<TData>({ session, actor, body, options, signal }: Exchange): Promise<GraphQLResult<TData>> {
  const { url, fetch, credentials = "same-origin" } = session;
  const { headers, timeout = session.timeout ?? 15_000 } = options;
  const authorize = async (refused?: string): Promise<Authorization | null> => {
    const authorization = await limited(timeout, signal, () => session.authorize({ refused, userId: actor.userId }));
    actor.userId ??= authorization?.user?.id;
    return authorization;
  };
  const send = async (token?: string): Promise<GraphQLResult<TData>> => {
    return (await post<TData>({ url, fetch, credentials, timeout, headers, body, token, signal })).result;
  };

  const first = await authorize();
  const result = await send(first?.token);
  const wasExecuted = Object.values(result.data ?? {}).some((value) => value !== null);
  if (!first || wasExecuted || failureOf(result)?.code !== "UNAUTHENTICATED") return result;
  const renewed = await authorize(first.token);
  if (!renewed) throw signedOut();
  return renewed.token === first.token ? result : send(renewed.token);
}

/** The key is in the body: a header would need CORS permission, and browsers would ask for it before each request. */
function bodyOf({ query, variables, operationName, extensions }: AnyRequest, { idempotencyKey }: AskOptions): string {
  const key = idempotencyKey === true ? createIdempotencyKey() : idempotencyKey;
  const extended = key ? { ...extensions, idempotencyKey: key } : extensions;
  return JSON.stringify({ query: textOf(query), variables, operationName, extensions: extended });
}

/** The error of a result that has no data. */
function failureOf({ data, errors }: GraphQLResult): RequestError | null {
  const isEmpty = !data || Object.values(data).some((value) => value === null);
  return errors?.length && isEmpty ? responseError(errors, data) : null;
}
