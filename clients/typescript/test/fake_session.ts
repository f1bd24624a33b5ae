// A source of tokens whose every answer a test decides.
import type { Authorization, AuthorizeOptions, Authorizer, SessionState } from "../src/index.js";
import { userError } from "../src/session_state.js";

export class FakeSession implements Authorizer {
  /** What the next calls throw. */
  readonly failures: unknown[] = [];
  renews = true;
  state: SessionState = signedInAs("alice");
  #number = 1;
  readonly #listeners = new Set<() => void>();

  constructor(readonly url: string) {}

  async authorize({ refused, userId }: AuthorizeOptions = {}): Promise<Authorization | null> {
    if (this.failures.length) throw this.failures.shift();
    const error = userError(this.state, userId);
    if (error) throw error;
    if (this.renews && refused === this.#token) this.#number++;
    return this.state.user && { token: this.#token, user: this.state.user };
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  signIn(username: string, role = "USER"): void {
    this.#set(signedInAs(username, role));
  }

  signOut(): void {
    this.#set({ status: "signedOut", user: null, error: null });
  }

  get #token(): string {
    return `token-${this.#number}`;
  }

  #set(state: SessionState): void {
    this.state = state;
    for (const listener of [...this.#listeners]) listener();
  }
}

function signedInAs(username: string, role = "USER"): SessionState {
  return { status: "signedIn", user: { id: `id-${username}`, username, role }, error: null };
}

