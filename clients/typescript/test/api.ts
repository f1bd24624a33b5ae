// A GraphQL API in place of `fetch`: users, tokens that expire, refresh tokens in a cookie or in the payload.
export interface Sent {
  readonly query: string;
  readonly variables: { readonly input?: Record<string, unknown> };
  readonly extensions?: { readonly idempotencyKey?: string };
  readonly token: string | null;
}

type Answer = object | Error | (() => object | Promise<object>);

const PASSWORD = "Taskriver-1";

export class Api {
  readonly sent: Sent[] = [];
  /** What to answer next instead of the truth: a result, an error of the network, or a function. */
  readonly next: Answer[] = [];
  /** The user of the cookie. */
  cookie: string | null = null;
  refreshes = 0;
  roles: Record<string, string> = {};
  life = 900_000;
  #tokens = new Map<string, string>();
  #last = 0;

  constructor(public onRequest: (sent: Sent, username: string) => object | Promise<object> = () => ({ data: { ok: true } })) {}

  fetch: typeof fetch = async (_url, init) => {
    const headers = init!.headers as Record<string, string>;
    const token = headers["authorization"]?.replace("Bearer ", "") ?? null;
    const sent = { ...JSON.parse(String(init!.body)), token } as Sent;
    this.sent.push(sent);
    const signal = init!.signal!;
    const aborted = new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
    return Promise.race([aborted, this.#answer(sent)]);
  };

  get operations(): Sent[] {
    return this.sent.filter(({ query }) => !query.includes("signedIn:"));
  }

  /** No token is accepted any more. */
  revoke(): void {
    this.#tokens.clear();
  }

  userOf(token: string | null): string | undefined {
    return token === null ? undefined : this.#tokens.get(token);
  }

  async #answer(sent: Sent): Promise<Response> {
    const planned = this.next.shift();
    if (planned instanceof Error) throw planned;
    const result = planned ? await (typeof planned === "function" ? planned() : planned) : await this.#result(sent);
    if (result instanceof Response) return result;
    return new Response(JSON.stringify(result), { headers: { date: new Date().toUTCString() } });
  }

  async #result(sent: Sent): Promise<object> {
    const { query, variables, token } = sent;
    if (query.includes("login(")) return this.#login(variables.input!);
    if (query.includes("refreshToken(")) return this.#refresh(variables.input!);
    const username = this.#tokens.get(token ?? "");
    if (token !== null && !username) return unauthenticated();
    if (query.includes("logout")) return (this.cookie = null), this.#tokens.delete(token!), { data: { logout: { userErrors: [] } } };
    return this.onRequest(sent, username ?? "");
  }

  #login({ username, password, returnRefreshToken }: Record<string, unknown>): object {
    if (password !== PASSWORD) return refused("INVALID_CREDENTIALS", "Wrong username or password.");
    if (!returnRefreshToken) this.cookie = String(username);
    return this.#grant(String(username), !!returnRefreshToken);
  }

  #refresh({ refreshToken }: Record<string, unknown>): object {
    this.refreshes++;
    const username = refreshToken ? String(refreshToken).split(":")[1] : this.cookie;
    return username ? this.#grant(username, !!refreshToken) : refused("INVALID_CREDENTIALS", "Sign in again.");
  }

  #grant(username: string, inPayload: boolean): object {
    const accessToken = `${username}-${++this.#last}`;
    this.#tokens.set(accessToken, username);
    return {
      data: {
        signedIn: {
          accessToken, refreshToken: inPayload ? `refresh:${username}:${this.#last}` : null,
          expiresAt: new Date(Math.floor(Date.now() / 1_000) * 1_000 + this.life).toISOString(),
          user: { id: `id-${username}`, username, role: this.roles[username] ?? "USER" }, userErrors: [],
        },
      },
    };
  }
}

export function unauthenticated(): object {
  return failure("UNAUTHENTICATED", "The access token has expired.");
}

export function failure(code: string, message = code, extensions: object = {}): object {
  return { errors: [{ message, extensions: { code, ...extensions } }], data: null };
}

function refused(code: string, message: string): object {
  return { data: { signedIn: { accessToken: null, userErrors: [{ code, message }] } } };
}

export { PASSWORD };
