import type { Store } from "../board/store";

/** Says in a dialog that its project is gone, if others have deleted it, or have removed the viewer. */
export function GoneNote({ store }: { store: Store }) {
  const isGone = store.state.missing && !store.settings.isDeleting;
  return <p class="note" role="status">{isGone && "This project was deleted, or you can no longer see it."}</p>;
}
