// Who is signed in on our own pages: one session per browser, the same in all its tabs.
// The access token lives in memory only; the refresh token is in a cookie that no script can read.

export type Role = "USER" | "MODERATOR" | "ADMIN";

export interface Person {
  readonly id: string;
  readonly username: string;
  readonly role: Role;
}

/** The server said no. `code` is `INVALID_CREDENTIALS`, `RATE_LIMITED`, …; `retryAfter` is in seconds. */
export class Refused extends Error {
  constructor(message: string, readonly code: string, readonly retryAfter?: number) {
    super(message);
    this.name = "Refused";
  }
}

interface Grant {
  readonly token: string;
  /** Milliseconds of this machine's clock: when to refresh, and when it is too late. */
  readonly refreshAt: number;
  readonly expiresAt: number;
  readonly person: Person;
}

interface SignedIn {
  accessToken: string | null;
  expiresAt: string;
  user: Person;
  userErrors: { message: string; code: string }[];
}

const CHANNEL = "taskriver-session";
const PATIENCE = 15_000;
/** The last tenth of a token's life is for refreshing it, but no more than this. */
const LONGEST_MARGIN = 60_000;
const PAUSE_AFTER_FAILURE = 5_000;

const GRANT = "accessToken expiresAt user { id username role } userErrors { message code }";
const LOGIN = `mutation SignIn($input: LoginInput!) { signedIn: login(input: $input) { ${GRANT} } }`;
const REFRESH = `mutation StaySignedIn { signedIn: refreshToken(input: {}) { ${GRANT} } }`;
const LOGOUT = "mutation SignOut { logout { userErrors { message } } }";

export class Session {
  #grant: Grant | null | undefined;
  #refreshing: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #listeners = new Set<() => void>();
  readonly #channel = new BroadcastChannel(CHANNEL);

  /** @param url where the GraphQL API is: of this page's own origin, or the cookie does not travel */
  constructor(readonly url = "/graphql") {
    this.#channel.onmessage = ({ data }: MessageEvent<Grant | null>) => this.#take(data);
  }

  /** The signed-in user; null: none; undefined: not known yet. It is another object only if something changed. */
  get person(): Person | null | undefined {
    return this.#grant && this.#grant.person;
  }

  /** Calls *listener* whenever the user or the role changes; returns a function that ends that. */
  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Goes on with what an earlier visit, or another tab, began. Throws only if the server cannot be asked. */
  async resume(): Promise<Person | null> {
    await this.accessToken();
    return this.person ?? null;
  }

  /** Throws `Refused` with the server's words. */
  async signIn(username: string, password: string): Promise<Person> {
    return alone(async () => {
      const grant = await this.#ask(LOGIN, { input: { username, password } });
      this.#notify(grant);
      return grant.person;
    });
  }

  /** Ends the session in every tab; its tokens are worthless within a second. Throws if the server did not receive it. */
  async signOut(): Promise<void> {
    await alone(async () => {
      if (this.#wants()) await this.#refresh();
      if (!this.#grant) return;
      try {
        await post(this.url, LOGOUT, undefined, this.#grant.token);
      } catch (error) {
        if (!(error instanceof Refused && error.code === "UNAUTHENTICATED")) throw error;
      }
      this.#notify(null);
    });
  }

  /**
   * A token that is good for some time yet, or null if no user is signed in.
   * @param refused the token that the server has just not accepted any more: then another one
   */
  async accessToken(refused?: string): Promise<string | null> {
    if (this.#wants(refused)) {
      // While this tab waits for its turn, another one may send it a new token.
      const work = async () => void (this.#wants(refused) && (await this.#refresh()));
      this.#refreshing ??= alone(work).finally(() => (this.#refreshing = null));
      try {
        await this.#refreshing;
      } catch (error) {
        if (!this.#grant || this.#grant.token === refused || this.#grant.expiresAt <= Date.now()) throw error;
      }
    }
    return this.#grant?.token ?? null;
  }

  /** Whether it is time to ask for another token. Without a user there is none. */
  #wants(refused?: string): boolean {
    const grant = this.#grant;
    return grant !== null && (!grant || grant.token === refused || grant.refreshAt <= Date.now());
  }

  async #refresh(): Promise<void> {
    try {
      this.#notify(await this.#ask(REFRESH));
    } catch (error) {
      if (!(error instanceof Refused && error.code === "INVALID_CREDENTIALS")) throw error;
      this.#notify(null);
    }
  }

  async #ask(document: string, variables?: object): Promise<Grant> {
    const { data, date } = await post<{ signedIn: SignedIn }>(this.url, document, variables);
    const { accessToken, expiresAt, user, userErrors } = data.signedIn;
    if (accessToken === null) throw new Refused(userErrors[0]!.message, userErrors[0]!.code);
    // By the server's clock, for this machine's may be wrong.
    const life = Date.parse(expiresAt) - date;
    const now = Date.now();
    return {
      token: accessToken,
      refreshAt: now + life - Math.min(LONGEST_MARGIN, life / 10),
      expiresAt: now + life,
      person: user,
    };
  }

  #notify(grant: Grant | null): void {
    this.#take(grant);
    this.#channel.postMessage(grant);
  }

  #take(grant: Grant | null): void {
    const before = this.#grant;
    const same = !!before && !!grant && isSame(before.person, grant.person);
    this.#grant = same ? { ...grant, person: before.person } : grant;
    clearTimeout(this.#timer);
    if (grant) this.#timer = setTimeout(this.#renew, grant.refreshAt - Date.now());
    if (!same && before !== grant) for (const listener of this.#listeners) listener();
  }

  /** Before the token expires; while the server is away, again and again. */
  #renew = async (): Promise<void> => {
    await this.accessToken().catch(() => null);
    if (this.#wants()) this.#timer = setTimeout(this.#renew, PAUSE_AFTER_FAILURE);
  };
}

function isSame(one: Person, other: Person): boolean {
  return one.id === other.id && one.username === other.username && one.role === other.role;
}

/** One at a time, in all tabs: a refresh token is good for one use. Without locks (plain HTTP), in this tab. */
async function alone<T>(work: () => Promise<T>): Promise<T> {
  if ("locks" in navigator) return navigator.locks.request(CHANNEL, work);
  const mine = turn.then(work);
  turn = mine.catch(() => {});
  return mine;
}
let turn: Promise<unknown> = Promise.resolve();

interface Posted<T> {
  readonly data: T;
  /** When it was answered, in milliseconds of the server's clock. */
  readonly date: number;
}

async function post<T>(url: string, query: string, variables?: object, token?: string): Promise<Posted<T>> {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json",
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(PATIENCE),
  });
  const { data, errors } = await response.json().catch(() => {
    throw new Error(`The server answered with status ${response.status}.`);
  });
  if (errors) {
    const { message, extensions = {} } = errors[0];
    throw new Refused(message, extensions.code, extensions.retryAfter);
  }
  return { data, date: Date.parse(response.headers.get("date") ?? "") || Date.now() };
}
