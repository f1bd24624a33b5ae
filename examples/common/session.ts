// Who is signed in: copy this file. The access token is in memory only; the refresh token is in a cookie that no
// script can read, and good for one use.
const { VITE_API } = import.meta.env;

/** Where the API is: of this page's own origin (vite passes it on), or the one that VITE_API names (by CORS). */
export const API = new URL(VITE_API ?? "/graphql", location.href).href;
export const SOCKET = API.replace(/^http/, "ws");

/** No user is signed in. `fatal` tells the resumable client not to reconnect. */
export class SignedOut extends Error {
  readonly fatal = true;
}

const GRANT = "accessToken userErrors { message }";
const LOGIN = `mutation SignIn($input: LoginInput!) { grant: login(input: $input) { ${GRANT} } }`;
const REFRESH = `mutation StaySignedIn { grant: refreshToken(input: {}) { ${GRANT} } }`;
const LOGOUT = "mutation SignOut { grant: logout { userErrors { message } } }";

/** The token as it is, good or not; null: there is none. */
export let token: string | null = null;
let renewing: Promise<string> | null = null;

/**
 * A token. If the last one was *refused*, another one: however many ask for it at once, it is fetched once.
 * Throws `SignedOut` if signing in (again) is the user's to do, anything else if the server cannot be asked.
 */
export async function accessToken(refused?: string | null): Promise<string> {
  if (token !== null && token !== refused) return token;
  return (renewing ??= grant(REFRESH).finally(() => (renewing = null)));
}

/** Throws an error with the server's words. */
export function signIn(username: string, password: string): Promise<string> {
  return grant(LOGIN, { input: { username, password } });
}

/** Whatever the page knows goes with its user. */
export async function signOut(): Promise<void> {
  await ask(LOGOUT, {}, await accessToken());
  location.reload();
}

async function grant(query: string, variables = {}): Promise<string> {
  const { accessToken, userErrors } = await ask(query, variables);
  if (accessToken) return (token = accessToken);
  if (token !== null) location.reload();
  throw new SignedOut(userErrors[0]?.message);
}

interface Grant {
  accessToken?: string | null;
  userErrors: { message: string }[];
}

async function ask(query: string, variables: object, by?: string): Promise<Grant> {
  const headers = { "content-type": "application/json", ...(by && { authorization: `Bearer ${by}` }) };
  const body = JSON.stringify({ query, variables });
  const response = await fetch(API, { method: "POST", credentials: "include", headers, body });
  const { data, errors } = await response.json();
  if (errors) throw new Error(errors[0].message);
  return data.grant;
}
