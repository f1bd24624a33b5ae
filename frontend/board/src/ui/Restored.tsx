import type { Draft } from "../board/draft";

/** Says why there is text in a form that was just opened. */
export function Restored({ draft }: { draft: Draft | undefined }) {
  return draft?.restored ? <p class="note" role="status">Your unsaved changes were restored.</p> : null;
}
