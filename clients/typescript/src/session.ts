import { backoff, later, type Timer } from "./backoff.js";
import { asRequestError, DISPOSED, RequestError } from "./errors.js";
import { login, logout, refresh, type Grant, type GrantSource, type TokenStorage, type User } from "./grant.js";
import { absolute, type Credentials } from "./http.js";
import { isEqual } from "./json.js";
import { createListeners } from "./listeners.js";
import { userError, type SessionState } from "./session_state.js";
import { createTabs, type Tabs } from "./tabs.js";

export interface SessionOptions {
  /** The address of the GraphQL API: absolute, or relative to the page. */
  readonly url: string;
  /**
   * Where the refresh token is. `"cookie"` (default): in an HttpOnly cookie, for browsers. A `TokenStorage`: in the payload,
   * for Node and React Native.
   */
  readonly credentials?: "cookie" | TokenStorage | undefined;
  /** Milliseconds until a response must be complete (15,000). */
  readonly timeout?: number | undefined;
  readonly fetch?: typeof fetch | undefined;
}

export interface Authorization {
  readonly token: string;
  /** Null: the user of the token is not known. */
  readonly user: User | null;
}

export interface AuthorizeOptions {
  /** The token that the server has just refused: another one is needed. */
  readonly refused?: string | undefined;
  /** The user of the request. If another one is signed in, the result is the error `USER_CHANGED` or `SIGNED_OUT`. */
  readonly userId?: string | undefined;
}

/** What `ask` and `createStream` need of a session. Write your own if tokens come from somewhere else. */
export interface Authorizer {
  readonly url: string;
  readonly timeout?: number | undefined;
  readonly credentials?: Credentials | undefined;
  readonly fetch?: typeof fetch | undefined;
  readonly state?: SessionState | undefined;
  /** A token that is valid for a while; null if no user is signed in. Throws `RequestError`. */
  authorize(options?: AuthorizeOptions): Promise<Authorization | null>;
  /** Calls *listener* after each change of the state; returns a function that ends this. */
  readonly subscribe?: ((listener: () => void) => () => void) | undefined;
}

export interface Session extends Authorizer {
  readonly state: SessionState;
  readonly timeout: number;
  readonly credentials: Credentials;
  readonly subscribe: (listener: () => void) => () => void;
  /**
   * Continues the session of an earlier visit or of another tab. Resolves to the user, or to null if the user must sign in.
   * Throws if the server cannot be asked; it is then asked again until the state is known.
   */
  resume(): Promise<User | null>;
  /** Throws `RequestError` with the server's message, for example `INVALID_CREDENTIALS` or `RATE_LIMITED`. */
  signIn(username: string, password: string): Promise<User>;
  /** Ends the session in all tabs. Throws if the server did not receive it; then the user is still signed in. */
  signOut(): Promise<void>;
  /** Stops timers and messages, for hot module replacement and tests. Does not sign out. */
  dispose(): void;
}

const UNKNOWN: SessionState = { status: "unknown", user: null, error: null };
const SIGNED_OUT: SessionState = { status: "signedOut", user: null, error: null };
const RENEWAL = { minDelay: 2_000, maxDelay: 60_000 };
/** Between two refreshes, in milliseconds, whatever lifetime the server says. */
const SHORTEST_DELAY = 1_000;
/** How often one call renews a token that was refused. */
const ROUNDS = 2;

/** Creates a session. It sends nothing before it is used. */
export function createSession(options: SessionOptions): Session {
  return new TokenSession(options);
}

class TokenSession implements Session {
  readonly url: string;
  readonly timeout: number;
  readonly fetch: typeof fetch | undefined;
  readonly credentials: Credentials;
  readonly #source: GrantSource;
  readonly #tabs: Tabs<Grant | null>;
  readonly #listeners = createListeners();
  #state = UNKNOWN;
  /** Null: no user is signed in. Undefined: not known yet. */
  #grant: Grant | null | undefined;
  #refreshing: Promise<void> | null = null;
  #timer: Timer | undefined;
  #failures = 0;
  /** The server's refusal to refresh before a time. It holds until the timer, whatever happens to the clock. */
  #limited: RequestError | null = null;
  #disposed = false;

  constructor({ url, credentials = "cookie", timeout = 15_000, fetch }: SessionOptions) {
    const storage = credentials === "cookie" ? null : credentials;
    this.url = url;
    this.timeout = timeout;
    this.fetch = fetch;
    this.credentials = storage ? "omit" : "include";
    this.#source = { url, timeout, storage, fetch };
    this.#tabs = createTabs(() => `taskriver:${absolute(url)}`, !!storage, (grant) => this.#take(grant));
  }

  get state(): SessionState {
    return this.#state;
  }

  subscribe = (listener: () => void): (() => void) => this.#listeners.add(listener);

  async resume(): Promise<User | null> {
    return (await this.authorize())?.user ?? null;
  }

  async signIn(username: string, password: string): Promise<User> {
    this.#open();
    return this.#exclusive(async () => {
      const grant = await login(this.#source, username, password);
      this.#publish(grant);
      return grant.user;
    });
  }

  async signOut(): Promise<void> {
    this.#open();
    await this.#exclusive(async () => {
      if (this.#isDue()) await this.#refresh();
      if (!this.#grant) return;
      await logout(this.#source, this.#grant.token);
      this.#publish(null);
    });
  }

  async authorize({ refused, userId }: AuthorizeOptions = {}): Promise<Authorization | null> {
    this.#open();
    for (let round = 0; round < ROUNDS && this.#isDue(refused); round++) await this.#renewed(refused);
    const error = userError(this.#state, userId);
    if (error) throw error;
    return this.#grant ?? null;
  }

  dispose(): void {
    this.#disposed = true;
    clearTimeout(this.#timer);
    this.#tabs.close();
  }

  #open(): void {
    if (this.#disposed) throw new RequestError("CLOSED", DISPOSED);
    this.#tabs.open();
  }

  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    return this.#tabs.exclusive(work, 2 * this.timeout);
  }

  /** Whether another token is needed. Without a user there is none. */
  #isDue(refused?: string): boolean {
    const grant = this.#grant;
    return grant !== null && (!grant || grant.token === refused || grant.refreshAt <= Date.now());
  }

  /** Refreshes once for all callers. A failure does not matter while the old token is valid. */
  async #renewed(refused?: string): Promise<void> {
    // While this tab waits for its turn, another one may send a new token.
    const work = async () => void (this.#isDue(refused) && (await this.#refresh()));
    this.#refreshing ??= this.#exclusive(work).finally(() => (this.#refreshing = null));
    try {
      await this.#refreshing;
    } catch (error) {
      if (!this.#grant || this.#grant.token === refused || this.#grant.expiresAt <= Date.now()) throw error;
    }
  }

  async #refresh(): Promise<void> {
    if (this.#limited) throw this.#limited;
    const before = this.#grant;
    try {
      const grant = await refresh(this.#source);
      // Without Web Locks another tab can have signed in or out in the meantime: this response is older.
      if (this.#grant === before) this.#publish(grant);
    } catch (thrown) {
      this.#failed(asRequestError(thrown));
      throw thrown;
    }
  }

  /** Tries again until it succeeds, so that a page recovers without its user. */
  #failed(error: RequestError): void {
    if (this.#disposed) return;
    if (error.retryAfter) this.#limited = error;
    this.#schedule(backoff(this.#failures++, RENEWAL, error.retryAfter));
    if (this.#grant === undefined) this.#set({ ...UNKNOWN, error });
  }

  #publish(grant: Grant | null): void {
    this.#open();
    this.#take(grant);
    this.#tabs.send(grant);
  }

  #take(grant: Grant | null): void {
    this.#grant = grant;
    this.#failures = 0;
    this.#limited = null;
    clearTimeout(this.#timer);
    if (grant) this.#schedule(grant.refreshAt - Date.now());
    this.#set(grant ? { status: "signedIn", user: grant.user, error: null } : SIGNED_OUT);
  }

  #schedule(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = later(Math.max(SHORTEST_DELAY, milliseconds), this.#wake);
    // In Node a session alone does not keep the process alive.
    (this.#timer as { unref?: () => void }).unref?.();
  }

  #wake = (): void => {
    this.#limited = null;
    if (this.#isDue()) void this.authorize().catch(() => {});
    else if (this.#grant) this.#schedule(this.#grant.refreshAt - Date.now());
  };

  #set(state: SessionState): void {
    const { user } = this.#state;
    if (state.error === this.#state.error && state.status === this.#state.status && isEqual(user, state.user)) return;
    this.#state = isEqual(user, state.user) ? { ...state, user } : state;
    this.#listeners.notify();
  }
}
