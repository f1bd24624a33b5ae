/** Says why there is text in a form that was just opened. */
export function Restored({ draft }: { draft: { readonly restored?: boolean } | undefined }) {
  return draft?.restored ? <p class="note" role="status">Your unsaved changes were restored.</p> : null;
}
