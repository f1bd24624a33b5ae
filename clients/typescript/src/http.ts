import { later } from "./backoff.js";
import { RequestError, type ResponseError } from "./errors.js";

export interface GraphQLResult<TData = unknown> {
  readonly data?: TData | null;
  readonly errors?: readonly ResponseError[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** Those of `fetch`. The type of the same meaning exists only with the types of a browser. */
export type Credentials = "omit" | "same-origin" | "include";

export interface HttpRequest {
  readonly url: string;
  /** The request as JSON. */
  readonly body: string;
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Milliseconds until the response must be complete. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
  readonly credentials: Credentials;
  readonly fetch?: typeof globalThis.fetch | undefined;
}

export interface HttpResponse<TData> {
  readonly result: GraphQLResult<TData>;
  /** The server's time of the response in milliseconds; null if unknown. */
  readonly date: number | null;
}

/** Sends one GraphQL request. Throws `RequestError` if there is no GraphQL response. */
export async function post<TData>(request: HttpRequest): Promise<HttpResponse<TData>> {
  try {
    return await limited(request.timeout, request.signal, (signal) => send<TData>(request, signal));
  } catch (error) {
    if (error instanceof RequestError) throw error;
    throw new RequestError("NETWORK", "The server cannot be reached.", { cause: error });
  }
}

/**
 * Runs *work* for at most *timeout* milliseconds, until *signal* is aborted, or until *watch* calls `end`. Then the signal
 * of *work* is aborted, and what it does is ignored. *watch* returns a function that ends the watch.
 */
export async function limited<T>(
  timeout: number, signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>,
  watch?: (end: (error: RequestError) => void) => (() => void) | undefined,
): Promise<T> {
  if (signal?.aborted) throw abortReason(signal);
  // `AbortSignal.timeout`, `AbortSignal.any` and the reason of a signal do not exist in React Native and in older browsers.
  const controller = new AbortController();
  let end!: (error: RequestError) => void;
  const ended = new Promise<never>((_, reject) => (end = (error) => (reject(error), controller.abort())));
  const abort = () => end(abortReason(signal!));
  const timer = later(timeout, () => end(new RequestError("TIMEOUT", "No response in time.")));
  const unwatch = watch?.(end);
  signal?.addEventListener("abort", abort);
  try {
    return await Promise.race([ended, work(controller.signal)]);
  } finally {
    clearTimeout(timer);
    unwatch?.();
    signal?.removeEventListener("abort", abort);
  }
}

/** The address as seen from the page. An absolute one stays as it is: React Native's `URL` adds a slash to it. */
export function absolute(url: string): string {
  return /^\w+:/.test(url) ? url : new URL(url, (globalThis as { location?: Location }).location?.href).href;
}

/** The error for a request whose signal was aborted. */
function abortReason({ reason }: AbortSignal): RequestError {
  return reason instanceof RequestError ? reason : new RequestError("ABORTED", "The request was aborted.", { cause: reason });
}

async function send<TData>(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse<TData>> {
  const { url, body, token, headers, credentials, fetch = globalThis.fetch } = request;
  const response = await fetch(url, {
    method: "POST",
    // The older media type: its responses have the status 200, which browsers do not log as failures.
    headers: {
      "content-type": "application/json", accept: "application/json", ...headers,
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body, credentials, signal,
  });
  const result = parsed(await response.text());
  if (!result?.data && !result?.errors) throw httpError(response);
  return { result: result as GraphQLResult<TData>, date: Date.parse(response.headers.get("date")!) || null };
}

function parsed(text: string): GraphQLResult | null {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A proxy, or another server, has answered. What is no refusal, such as the page of a hotel's network, can be gone later. */
function httpError({ status, headers }: Response): RequestError {
  const code = status === 429 ? "RATE_LIMITED" : /^4(?!08)/.test(`${status}`) ? "BAD_REQUEST" : "UNAVAILABLE";
  const retryAfter = Number(headers.get("retry-after")) || undefined;
  return new RequestError(code, `The server answered with status ${status}.`, { retryAfter });
}
