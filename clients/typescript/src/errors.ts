/** One entry of `errors` in a response. */
export interface ResponseError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

export interface RequestErrorDetails {
  /** Seconds to wait before the next attempt. */
  readonly retryAfter?: number | undefined;
  readonly errors?: readonly ResponseError[] | undefined;
  /** What the response contains in spite of its errors. */
  readonly data?: unknown;
  /** The close code of the WebSocket. */
  readonly closeCode?: number | undefined;
  readonly cause?: unknown;
}

/**
 * A request or a subscription that failed as a whole. `code` is the server's (`UNAUTHENTICATED`, `RATE_LIMITED`, …; see
 * docs/errors.md), or one of the client:
 *
 * - `NETWORK`, `TIMEOUT`: no response. A change may or may not have been made.
 * - `SIGNED_OUT`: no user is signed in. `USER_CHANGED`: another user is signed in than the one of the request.
 * - `ABORTED`: the caller's signal. `CLOSED`: closed by this page.
 * - `CONNECTION_REFUSED`: the server closed the WebSocket with a code that a new connection does not change.
 */
export class RequestError extends Error {
  declare readonly code: string;
  declare readonly retryAfter: number | undefined;
  declare readonly errors: readonly ResponseError[];
  declare readonly data: unknown;
  declare readonly closeCode: number | undefined;

  constructor(code: string, message: string, details: RequestErrorDetails = {}) {
    super(message);
    Object.assign(this, { name: "RequestError", code, errors: [] }, details);
  }

  /** Whether the same request can succeed later. */
  get isTemporary(): boolean {
    return /^(NETWORK|TIMEOUT|UNAVAILABLE|RATE_LIMITED)$/.test(this.code);
  }
}

export const DISPOSED = "It is closed.";

/** The error of a response, from its `errors`. */
export function responseError(errors: readonly ResponseError[], data?: unknown): RequestError {
  const first = errors[0];
  const { code = "INTERNAL", retryAfter } = (first?.extensions ?? {}) as { code?: string; retryAfter?: number };
  return new RequestError(code, first?.message ?? "The request failed.", { retryAfter, errors, data });
}

export function signedOut(): RequestError {
  return new RequestError("SIGNED_OUT", "No user is signed in.");
}

/** Any thrown value as a `RequestError`. */
export function asRequestError(error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  return new RequestError("NETWORK", (error as Error | null)?.message ?? String(error), { cause: error });
}

/** Calls a callback of the application. Its error is reported, and does not disturb the caller. */
export function call(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
