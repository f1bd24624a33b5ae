import { backoff, sleep } from "./backoff.js";
import type { Cache } from "./cache.js";
import { textOf, type AnyRequest, type Document } from "./document.js";
import { userError } from "./actor.js";
import { asRequestError, RequestError, responseError, signedOut } from "./errors.js";
import { abortReason, post, type GraphQLResult } from "./http.js";
import { createIdempotencyKey } from "./idempotency.js";
import type { Authorization, Authorizer } from "./session.js";

export interface AskRequest<TData = unknown, TVariables = Record<string, unknown>> extends AnyRequest {
  readonly query: Document<TData, TVariables>;
  readonly variables?: TVariables | undefined;
}

export interface AskOptions {
  /** Milliseconds until the response must be complete; default: the session's. */
  readonly timeout?: number;
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
  const actor = new Actor(session, options);
  const { cache } = options;
  try {
    cache?.resetFor(session.state?.user?.id);
    const generation = cache?.generation;
    const result = await exchange<TData>(actor, bodyOf(request, options), options);
    return cache && result.data ? { ...result, data: cache.write(result.data, generation) } : result;
  } finally {
    actor.end();
  }
}

/** The user of one request, and its end when another user signs in or the caller aborts it. */
class Actor {
  readonly #session: Authorizer;
  readonly #options: AskOptions;
  readonly #controller = new AbortController();
  readonly #unsubscribe: () => void;
  #userId: string | undefined;

  constructor(session: Authorizer, options: AskOptions) {
    this.#session = session;
    this.#options = options;
    this.#userId = options.userId ?? session.state?.user?.id;
    this.#unsubscribe = session.subscribe?.(this.#check) ?? (() => {});
    options.signal?.addEventListener("abort", this.#abort);
    if (options.signal?.aborted) this.#abort();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  async authorize(refused?: string): Promise<Authorization | null> {
    if (this.signal.aborted) throw abortReason(this.signal);
    const authorization = await this.#session.authorize({ refused, userId: this.#userId });
    this.#userId ??= authorization?.user?.id;
    if (this.signal.aborted) throw abortReason(this.signal);
    return authorization;
  }

  async send<TData>(body: object, token?: string): Promise<GraphQLResult<TData>> {
    const { url, fetch, credentials = "same-origin", timeout = 15_000 } = this.#session;
    const { result } = await post<TData>({ url, fetch, credentials, timeout, ...this.#options, body, token, signal: this.signal });
    return result;
  }

  async sleep(milliseconds: number): Promise<void> {
    await sleep(milliseconds, this.signal).catch(() => {
      throw abortReason(this.signal);
    });
  }

  end(): void {
    this.#unsubscribe();
    this.#options.signal?.removeEventListener("abort", this.#abort);
  }

  #check = (): void => {
    const error = userError(this.#session.state, this.#userId);
    if (error) this.#controller.abort(error);
  };

  #abort = (): void => this.#controller.abort(abortReason(this.#options.signal!));
}

/** Sends it until there is a response that no repetition can improve. */
async function exchange<TData>(actor: Actor, body: object, options: AskOptions): Promise<GraphQLResult<TData>> {
  const { idempotencyKey, retries = idempotencyKey ? 5 : 0, maxRetryAfter = 30 } = options;
  for (let failures = 0; ; failures++) {
    const outcome = await attempt<TData>(actor, body).catch(asRequestError);
    const failure = outcome instanceof RequestError ? outcome : failureOf(outcome);
    if (failures < retries && failure?.isTemporary && (failure.retryAfter ?? 0) <= maxRetryAfter) {
      await actor.sleep(backoff(failures, PAUSES, failure.retryAfter));
    } else if (outcome instanceof RequestError) throw outcome;
    else return outcome;
  }
}

/** Sends it, and once more with another token if the first one is refused. */
async function attempt<TData>(actor: Actor, body: object): Promise<GraphQLResult<TData>> {
  const first = await actor.authorize();
  const result = await actor.send<TData>(body, first?.token);
  const wasExecuted = Object.values(result.data ?? {}).some((value) => value !== null);
  if (!first || wasExecuted || failureOf(result)?.code !== "UNAUTHENTICATED") return result;
  const renewed = await actor.authorize(first.token);
  if (!renewed) throw signedOut();
  return renewed.token === first.token ? result : actor.send(body, renewed.token);
}

/** The key is in the body: a header would need CORS permission, and browsers would ask for it before each request. */
function bodyOf({ query, variables, operationName, extensions }: AnyRequest, { idempotencyKey }: AskOptions): object {
  const key = idempotencyKey === true ? createIdempotencyKey() : idempotencyKey;
  return {
    query: textOf(query),
    variables,
    ...(operationName && { operationName }),
    ...((extensions || key) && { extensions: { ...extensions, ...(key && { idempotencyKey: key }) } }),
  };
}

/** The error of a result that has no data. */
function failureOf({ data, errors }: GraphQLResult): RequestError | null {
  const isEmpty = !data || Object.values(data).some((value) => value === null);
  return errors?.length && isEmpty ? responseError(errors, data) : null;
}
