// The board's connection: the resumable client that the examples show, and ways to cut it on purpose.
import { createResumableClient } from "../../../../examples/resumable/resumable.mjs";
import type { Session } from "../../../common/session";

export interface LineHooks {
  connected(): void;
  lost(why: string): void;
  /** A ping said where the stream stands. */
  stands(cursor: string): void;
  /** What came before is lost: read the lists again, and say where the stream stood before. */
  resync(reason: string): Promise<string | undefined>;
  /** It is over, and does not come back by itself. */
  ended(why: string): void;
}

export interface Line {
  readonly subscribe: ReturnType<typeof createResumableClient>["subscribe"];
  /** Cut it, as a bad network does. It comes back by itself. */
  drop(): void;
  /** Cut it, and do not come back for so long, in milliseconds. */
  stop(milliseconds: number): void;
  end(): void;
}

export function createLine(session: Session, hooks: LineHooks): Line {
  let token: string | null = null;
  let rest: Promise<void> = Promise.resolve();

  const accessToken = async (refresh: boolean): Promise<string> => {
    token = await session.accessToken(refresh ? (token ?? undefined) : undefined);
    if (token === null) throw Object.assign(new Error("You are signed out."), { fatal: true });
    return token;
  };
  const client = createResumableClient({
    // Called before each attempt, so that a caller can prevent it.
    url: async () => {
      await rest;
      return new URL(session.url, location.href.replace(/^http/, "ws")).href;
    },
    accessToken,
    onResync: ({ reason }) => hooks.resync(reason ?? "unknown"),
  });

  client.on("connected", () => hooks.connected());
  client.on("closed", (event) => hooks.lost(reasonOf(event)));
  client.on("ping", (received, payload) => {
    const cursors = received && (payload?.["cursors"] as Record<string, string> | undefined);
    for (const cursor of Object.values(cursors || {})) hooks.stands(cursor);
  });

  return {
    subscribe: client.subscribe,
    drop: () => client.terminate(),
    stop: (milliseconds) => {
      rest = new Promise((resolve) => setTimeout(resolve, milliseconds));
      client.terminate();
    },
    end: () => void client.dispose(),
  };
}

function reasonOf(event: unknown): string {
  const { code, reason } = event as { code?: number; reason?: string };
  if (code === 4499) return "dropped on purpose";
  if (code === 1006) return "the connection broke";
  return reason ? `${reason} (${code})` : `closed with ${code}`;
}
