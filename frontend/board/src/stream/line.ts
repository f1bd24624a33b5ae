// What the board learns of its connection.
import type { RequestError } from "@taskriver/client";

export interface LineHooks {
  connected(): void;
  lost(why: string): void;
  /** A ping or an item said where the stream stands. */
  stands(cursor: string): void;
  /** What came before is lost: read the lists again, and return where the stream stood before. */
  resync(reason: string): Promise<string | undefined>;
  /** It is over, and does not come back by itself. */
  ended(why: string): void;
}

/** Why there is no connection, as the status line says it. */
export function wordsFor({ code, closeCode, message }: RequestError): string {
  if (code === "CLOSED") return "dropped on purpose";
  if (closeCode === 1006) return "the connection broke";
  return closeCode ? `${message} (${closeCode})` : message;
}
