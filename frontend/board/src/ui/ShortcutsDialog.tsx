import type { Store } from "../board/store";
import { Dialog } from "./Dialog";

const KEYS: readonly (readonly [keys: readonly string[], what: string])[] = [
  [["N"], "New task"],
  [["/"], "Search"],
  [["↑", "↓", "←", "→"], "Go from card to card"],
  [["Home", "End"], "First or last card of the column"],
  [["Enter"], "Open the task"],
  [["Shift", "←"], "Move the task to the column on the left"],
  [["Shift", "→"], "Move the task to the column on the right"],
  [["Shift", "↑"], "Move the task up, in the manual order"],
  [["Shift", "↓"], "Move the task down, in the manual order"],
  [["M"], "Choose a column to move the task to"],
  [["X"], "Select the task, or not: selected tasks are moved together"],
  [["Z"], "Undo the last move or deletion"],
  [["Esc"], "Close what is open"],
  [["?"], "Show this list"],
];

export function ShortcutsDialog({ store, onClose }: { store: Store; onClose: () => void }) {
  return (
    <Dialog store={store} title="Keyboard shortcuts" kind="box" onLeave={onClose}>
      <dl class="shortcuts">
        {KEYS.map(([keys, what]) => (
          <div key={what}>
            <dt>{keys.map((key) => <kbd key={key}>{key}</kbd>)}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
