// Refusals in the board's words.
import type { Problem } from "../../../common/problem";
import type { Answer } from "./changes";
import { PRIORITY_WORDS, STATUS_WORDS } from "./words";

type Refusal = Omit<Answer & { readonly made: false }, "made"> & { readonly made?: false };

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

/** Why a form with these fields was refused. */
export function problemOf(refusal: Refusal & { readonly path: readonly string[] }, fields: readonly string[]): Problem {
  const text = explain(refusal);
  const field = refusal.path.find((name) => fields.includes(name)) ?? null;
  return { field, text: `${text.charAt(0).toUpperCase()}${text.slice(1)}` };
}

/** The text with "Cancelled" for `CANCELLED`, and so on. */
export function inBoardWords(text: string): string {
  return text.replace(/\b[A-Z]+(?:_[A-Z]+)*\b/g, (word) => WORDS[word] ?? word);
}
