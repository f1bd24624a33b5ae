import { asRequestError, RequestError, responseError, type ResponseError } from "./errors.js";
import { post } from "./http.js";

export interface User {
  readonly id: string;
  readonly username: string;
  readonly role: string;
}

/** What a sign-in or a refresh gives. Times are milliseconds of this machine's clock. */
export interface Grant {
  readonly token: string;
  readonly user: User;
  /** When to refresh. */
  readonly refreshAt: number;
  readonly expiresAt: number;
}

/** Where a client without cookies keeps its refresh token: for example the Keychain of a phone, or a file. */
export interface TokenStorage {
  get(): string | null | undefined | Promise<string | null | undefined>;
  /** Null: forget the token. */
  set(token: string | null): void | Promise<void>;
}

export interface GrantSource {
  readonly url: string;
  readonly timeout: number;
  readonly storage: TokenStorage | null;
  readonly fetch: typeof fetch | undefined;
}

interface Payload {
  readonly accessToken?: string | null;
  readonly refreshToken?: string | null;
  readonly expiresAt?: string | null;
  readonly user?: User | null;
  readonly userErrors: readonly { readonly code: string; readonly message: string }[];
}

/** The last tenth of a token's life is for refreshing it, but at most this many milliseconds. */
const LONGEST_MARGIN = 60_000;
/**
 * Milliseconds until a refresh is sent again if no response arrives. After the first use of a refresh token the server accepts
 * it for 30 seconds. Later it counts as stolen, and the session ends.
 */
const REPEAT_AFTER = 8_000;
/** For how many milliseconds a token counts as valid if its life is not known. The server refuses it when it is not. */
const UNKNOWN_LIFE = 300_000;

const FIELDS = "accessToken expiresAt refreshToken user { id username role } userErrors { message code }";
const LOGIN = `mutation SignIn($input: LoginInput!) { signedIn: login(input: $input) { ${FIELDS} } }`;
const REFRESH = `mutation StaySignedIn($input: RefreshTokenInput!) { signedIn: refreshToken(input: $input) { ${FIELDS} } }`;
const LOGOUT = "mutation SignOut { logout { userErrors { message } } }";

/** Throws `RequestError`: `INVALID_CREDENTIALS`, `RATE_LIMITED`, or no response. */
export function login(source: GrantSource, username: string, password: string): Promise<Grant> {
  return ask(source, LOGIN, { username, password, ...(source.storage && { returnRefreshToken: true }) });
}

/** The next grant; null if the refresh token is not accepted, or there is none. */
export async function refresh(source: GrantSource, isRepeated = false): Promise<Grant | null> {
  const { storage } = source;
  const refreshToken = storage && (await storage.get());
  if (storage && !refreshToken) return null;
  const timeout = Math.min(source.timeout, REPEAT_AFTER);
  try {
    return await ask({ ...source, timeout }, REFRESH, refreshToken ? { refreshToken } : {});
  } catch (error) {
    const { code } = asRequestError(error);
    if (code === "TIMEOUT" && !isRepeated) return refresh(source, true);
    if (code !== "INVALID_CREDENTIALS") throw error;
    await storage?.set(null);
    return null;
  }
}

/** Ends the session on the server. Succeeds if the server does not know the token. */
export async function logout(source: GrantSource, token: string): Promise<void> {
  const errors = (await send(source, LOGOUT, undefined, token)).result.errors;
  const error = errors?.length ? responseError(errors) : null;
  if (error && error.code !== "UNAUTHENTICATED") throw error;
  await source.storage?.set(null);
}

async function ask(source: GrantSource, query: string, input: object): Promise<Grant> {
  const { result, date } = await send(source, query, { input });
  const payload = result.data?.signedIn;
  if (!payload?.accessToken) throw refusal(payload, result.errors);
  if (source.storage) await source.storage.set(payload.refreshToken ?? null);
  return grantOf(payload, date);
}

function send(source: GrantSource, query: string, variables?: object, token?: string) {
  const { url, timeout, fetch, storage } = source;
  return post<{ signedIn?: Payload }>({
    url, timeout, fetch, token, body: JSON.stringify({ query, variables }),
    credentials: storage ? "omit" : "include",
  });
}

function refusal(payload: Payload | undefined, errors: readonly ResponseError[] = []): RequestError {
  const refused = payload?.userErrors[0];
  return refused ? new RequestError(refused.code, refused.message) : responseError(errors);
}

/**
 * The life of the token is computed with the server's clock, because this machine's can be wrong. Where that is not known
 * (a browser hides `Date` from another origin), the result can be impossible.
 */
function grantOf({ accessToken, expiresAt, user }: Payload, date: number | null): Grant {
  const now = Date.now();
  const computed = Date.parse(expiresAt!) - (date ?? now);
  const life = computed > 0 ? computed : UNKNOWN_LIFE;
  return {
    token: accessToken!,
    user: user!,
    refreshAt: now + life - Math.min(LONGEST_MARGIN, life / 10),
    expiresAt: now + life,
  };
}
