import type { Store } from "../board/store";
import { LabelsDialog } from "./LabelsDialog";
import { MembersDialog } from "./MembersDialog";
import { NewProjectDialog } from "./NewProjectDialog";
import type { Panel } from "./panels";
import { SettingsDialog } from "./SettingsDialog";
import { ShortcutsDialog } from "./ShortcutsDialog";
import { TrashDialog } from "./TrashDialog";

interface Props {
  readonly store: Store;
  readonly panel: Panel;
  readonly onClose: () => void;
}

export function OpenPanel({ store, panel, onClose }: Props) {
  switch (panel) {
    case "SHORTCUTS": return <ShortcutsDialog store={store} onClose={onClose} />;
    case "MEMBERS": return <MembersDialog store={store} onClose={onClose} />;
    case "TRASH": return <TrashDialog store={store} onClose={onClose} />;
    case "LABELS": return <LabelsDialog store={store} onClose={onClose} />;
    case "SETTINGS": return <SettingsDialog store={store} onClose={onClose} />;
    case "PROJECT": return <NewProjectDialog store={store} onClose={onClose} />;
  }
}
