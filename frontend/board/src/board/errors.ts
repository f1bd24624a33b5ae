// Refusals in the board's words.
import type { Answer } from "./changes";
import { PRIORITY_WORDS, STATUS_WORDS } from "./words";

type Refusal = Answer & { readonly made: false };

const WORDS: Readonly<Record<string, string>> = { ...STATUS_WORDS, ...PRIORITY_WORDS };
const BY_CODE: Readonly<Record<string, string>> = {
  CONFLICT: "Another user changed it meanwhile. Look at it, then try again.",
  NOT_FOUND: "It was deleted, or you can no longer see it.",
};

/** Why a change was refused, for the person who made it. */
export function explain({ code, message }: Refusal): string {
  if (code === "FAILED") return `${inBoardWords(message)} If it was saved all the same, the board will show it.`;
  return BY_CODE[code] ?? inBoardWords(message);
}

/** The text with "Cancelled" for `CANCELLED`, and so on. */
export function inBoardWords(text: string): string {
  return text.replace(/\b[A-Z]+(?:_[A-Z]+)*\b/g, (word) => WORDS[word] ?? word);
}
