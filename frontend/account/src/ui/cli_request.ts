// What a program asks for in the address of /account/cli.

export interface CliRequest {
  readonly port: number;
  readonly challenge: string;
  readonly state: string;
  /** What the program calls itself and its machine. It can be any text. */
  readonly client: string;
}

const CHALLENGE = /^[A-Za-z0-9_-]{43}$/;
const STATE = /^[A-Za-z0-9_-]{16,200}$/;
const LONGEST_NAME = 100;

/** Null: the address is not one that `taskriver login` prints. */
export function requestOf(search: string): CliRequest | null {
  const values = new URLSearchParams(search);
  const port = Number(values.get("port"));
  const challenge = values.get("challenge") ?? "", state = values.get("state") ?? "", client = (values.get("client") ?? "").trim();
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return null;
  if (!CHALLENGE.test(challenge) || !STATE.test(state) || !client || client.length > LONGEST_NAME) return null;
  return { port, challenge, state, client };
}

/** What the terminal shows, too. */
export function shownCode({ challenge }: CliRequest): string {
  return `${challenge.slice(0, 4)} ${challenge.slice(4, 8)}`;
}

/** The address of the waiting program. The host is always this IP literal (RFC 8252, section 7.3). */
export function answerTo({ port, state }: CliRequest, answer: { code: string } | { error: "access_denied" }): string {
  return `http://127.0.0.1:${port}/callback?${new URLSearchParams({ ...answer, state })}`;
}
