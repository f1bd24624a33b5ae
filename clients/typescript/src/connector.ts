import { backoff, later, type Timer } from "./backoff.js";
import { Connection, DROPPED, type ConnectionHandlers, type ConnectionOptions } from "./connection.js";
import { asRequestError, RequestError, signedOut } from "./errors.js";
import { absolute, limited } from "./http.js";
import type { Authorization, Authorizer } from "./session.js";
import { userError } from "./session_state.js";

/** A value that never changes; another status is another object. */
export interface StreamStatus {
  /** `idle`: no subscription needs a connection. `waiting`: a pause before the next attempt. `closed`: disposed of. */
  readonly state: "idle" | "connecting" | "connected" | "waiting" | "closed";
  /** How many connections the server has accepted. */
  readonly connections: number;
  /** Why there is no connection. */
  readonly error: RequestError | null;
  /** When the next attempt begins, in milliseconds of this machine's clock. */
  readonly retryAt: number | null;
}

export interface ConnectorOptions extends ConnectionOptions {
  readonly session: Authorizer;
  readonly url?: string | undefined;
  readonly checkTimeout: number;
  readonly minDelay: number;
  readonly maxDelay: number;
  readonly stableAfter: number;
}

export interface ConnectorHandlers extends Omit<ConnectionHandlers, "acknowledged" | "closed"> {
  /** There is a new connection. */
  connected(connection: Connection): void;
  /** It has ended; another one follows. */
  disconnected(): void;
  /** No further connection is tried. */
  failed(error: RequestError): void;
  changed(status: StreamStatus): void;
}

/** Close codes after which another connection would be closed, too. */
const FATAL = [1002, 1003, 1007, 1008, 1009, 1010, 4400, 4406, 4409, 4429];
const UNAUTHORIZED = 4401;
const FORBIDDEN = 4403;
/** Errors of the authorizer that another attempt does not change. */
const FINAL = ["SIGNED_OUT", "USER_CHANGED", "CLOSED", "CONNECTION_REFUSED"];

/** Keeps one connection open while it is wanted: authorizes, connects, and reconnects with growing pauses. */
export class Connector {
  status: StreamStatus = { state: "idle", connections: 0, error: null, retryAt: null };
  readonly #options: ConnectorOptions;
  readonly #handlers: ConnectorHandlers;
  #connection: Connection | null = null;
  /** The identity of the current attempt: whatever an earlier one still does is ignored. */
  #attempt: object | null = null;
  #token: string | undefined;
  #refused: string | undefined;
  /** Whether the token was renewed since the server last accepted a connection. */
  #wasRenewed = false;
  #userId: string | undefined;
  #failures = 0;
  #mayHurry = true;
  #timer: Timer | undefined;
  #stable: Timer | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(options: ConnectorOptions, handlers: ConnectorHandlers) {
    this.#options = options;
    this.#handlers = handlers;
  }

  get connection(): Connection | null {
    return this.#connection?.isOpen ? this.#connection : null;
  }

  start(): void {
    if (this.status.state !== "idle") return;
    const { session } = this.#options;
    this.#userId = session.state?.user?.id;
    this.#unsubscribe = session.subscribe?.(this.#checkUser);
    void this.#connect();
  }

  /** Closes the connection, and forgets the user. */
  stop(state: "idle" | "closed" = "idle", error: RequestError | null = null): void {
    this.#unsubscribe?.();
    this.#attempt = null;
    this.#refused = this.#userId = undefined;
    this.#wasRenewed = false;
    this.#failures = 0;
    clearTimeout(this.#timer);
    this.#set({ state, error, retryAt: null });
    this.#close(1000);
  }

  /** Connects at once if it waits, and tests an open connection. */
  check(): void {
    if (this.status.state === "waiting" && this.#mayHurry) void this.#connect();
    else this.connection?.check(this.#options.checkTimeout);
  }

  reconnect(delay: number): void {
    if (this.status.state === "idle" || this.status.state === "closed") return;
    this.#close(DROPPED);
    this.#wait(delay, new RequestError("CLOSED", "The connection was closed."));
  }

  /** The server no longer accepts the token. */
  renew(error: RequestError): void {
    this.#refused = this.#token;
    this.#close(DROPPED);
    this.#retry(error);
  }

  #connect = async (): Promise<void> => {
    const attempt = (this.#attempt = {});
    clearTimeout(this.#timer);
    this.#set({ state: "connecting", retryAt: null });
    try {
      const authorization = await limited(this.#options.handshakeTimeout, undefined, () => this.#authorize());
      if (this.#attempt === attempt) this.#open(authorization, attempt);
    } catch (error) {
      if (this.#attempt === attempt) this.#attemptFailed(error);
    }
  };

  async #authorize(): Promise<Authorization> {
    const authorization = await this.#options.session.authorize({ refused: this.#refused, userId: this.#userId });
    if (!authorization) throw signedOut();
    if (authorization.token !== this.#refused) return authorization;
    throw new RequestError("CONNECTION_REFUSED", "The token was refused.");
  }

  #attemptFailed(thrown: unknown): void {
    const error = asRequestError(thrown);
    if (FINAL.includes(error.code) || (thrown as { fatal?: boolean } | null)?.fatal) this.#fail(error);
    else this.#retry(error);
  }

  #open({ token, user }: Authorization, attempt: object): void {
    const options = this.#options;
    this.#token = token;
    this.#userId ??= user?.id;
    const handlers = {
      ...this.#handlers,
      acknowledged: () => this.#acknowledged(),
      closed: (code: number, reason: string) => this.#attempt === attempt && this.#closed(code, reason),
    };
    try {
      this.#connection = new Connection(absolute(options.url ?? options.session.url).replace(/^http/, "ws"), token, options, handlers);
    } catch (cause) {
      // There is no WebSocket here, or its address or the policy of the page does not allow it.
      throw new RequestError("CONNECTION_REFUSED", String(cause), { cause });
    }
  }

  #acknowledged(): void {
    this.#refused = undefined;
    this.#wasRenewed = false;
    // A connection that is closed again at once does not reset the pauses.
    this.#stable = later(this.#options.stableAfter, () => (this.#failures = 0));
    this.#set({ state: "connected", error: null, connections: this.status.connections + 1 });
    this.#handlers.connected(this.#connection!);
  }

  #closed(code: number, reason: string): void {
    this.#connection = null;
    clearTimeout(this.#stable);
    this.#handlers.disconnected();
    const message = reason || `The connection was closed with ${code}.`;
    const isRefused = code === FORBIDDEN || code === UNAUTHORIZED;
    if (FATAL.includes(code) || (code === UNAUTHORIZED && this.#wasRenewed)) {
      return this.#fail(new RequestError("CONNECTION_REFUSED", message, { closeCode: code }));
    }
    if (isRefused) this.#refused = this.#token;
    this.#wasRenewed ||= isRefused;
    this.#retry(new RequestError(isRefused ? "UNAUTHENTICATED" : "NETWORK", message, { closeCode: code }));
  }

  /** Closes the connection from this side. */
  #close(code: number): void {
    const connection = this.#connection;
    this.#connection = this.#attempt = null;
    clearTimeout(this.#stable);
    if (!connection) return;
    connection.close(code);
    this.#handlers.disconnected();
  }

  #retry(error: RequestError): void {
    this.#wait(backoff(this.#failures++, this.#options, error.retryAfter), error);
  }

  #wait(delay: number, error: RequestError): void {
    this.#attempt = null;
    this.#mayHurry = error.closeCode !== undefined || error.code === "NETWORK" || error.code === "TIMEOUT";
    clearTimeout(this.#timer);
    this.#timer = later(delay, this.#connect);
    this.#set({ state: "waiting", error, retryAt: Date.now() + delay });
  }

  #fail(error: RequestError): void {
    this.stop("idle", error);
    this.#handlers.failed(error);
  }

  #checkUser = (): void => {
    const error = userError(this.#options.session.state, this.#userId);
    if (error) this.#fail(error);
  };

  #set(change: Partial<StreamStatus>): void {
    if (this.status.state === "closed") return;
    this.status = { ...this.status, ...change };
    this.#handlers.changed(this.status);
  }
}
