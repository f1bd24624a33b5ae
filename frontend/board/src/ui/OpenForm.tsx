import type { View } from "../board/address";
import type { Store } from "../board/store";
import { MissingTask } from "./MissingTask";
import { NewTaskDialog } from "./NewTaskDialog";
import { TaskDialog } from "./TaskDialog";

/** The form that the address says is open. */
export function OpenForm({ store, view }: { store: Store; view: View }) {
  if (view.creating) return <NewTaskDialog store={store} />;
  if (view.task === null) return null;
  const task = store.tasks.get(view.task);
  if (task) return <TaskDialog key={view.task} store={store} task={task} />;
  return <MissingTask key={view.task} store={store} id={view.task} />;
}
