import { RequestError, type ResponseError } from "./errors.js";

export interface GraphQLResult<TData = unknown> {
  readonly data?: TData | null;
  readonly errors?: readonly ResponseError[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

export interface HttpRequest {
  readonly url: string;
  readonly body: object;
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Milliseconds until the response must be complete. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
  readonly credentials: RequestCredentials;
  readonly fetch?: typeof globalThis.fetch | undefined;
}

export interface HttpResponse<TData> {
  readonly result: GraphQLResult<TData>;
  /** The server's time of the response in milliseconds; null if unknown. */
  readonly date: number | null;
}

/** Sends one GraphQL request. Throws `RequestError` if there is no GraphQL response. */
export async function post<TData>(request: HttpRequest): Promise<HttpResponse<TData>> {
  const { signal, timeout } = request;
  // `AbortSignal.timeout` and `AbortSignal.any` do not exist in React Native and in older browsers.
  const controller = new AbortController();
  const ended = new Promise<never>((_, reject) => {
    controller.signal.addEventListener("abort", () => reject(controller.signal.reason));
  });
  const abort = () => controller.abort(abortReason(signal!));
  const timer = setTimeout(() => controller.abort(new RequestError("TIMEOUT", "No response in time.")), timeout);
  signal?.addEventListener("abort", abort);
  if (signal?.aborted) abort();
  try {
    return await Promise.race([ended, send<TData>(request, controller.signal)]);
  } catch (error) {
    if (error instanceof RequestError) throw error;
    throw new RequestError("NETWORK", "The server cannot be reached.", { cause: error });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

/** The address as seen from the page. */
export function absolute(url: string): string {
  return new URL(url, (globalThis as { location?: Location }).location?.href).href;
}

/** The error for a request whose signal was aborted. */
export function abortReason({ reason }: AbortSignal): RequestError {
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
    body: JSON.stringify(body), credentials, signal,
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

/** A proxy, or another server, has answered. */
function httpError({ status, headers }: Response): RequestError {
  const code = status === 429 ? "RATE_LIMITED" : status >= 500 || status === 408 ? "UNAVAILABLE" : "BAD_REQUEST";
  const retryAfter = Number(headers.get("retry-after")) || undefined;
  return new RequestError(code, `The server answered with status ${status}.`, { retryAfter });
}
