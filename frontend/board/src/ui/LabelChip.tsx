import { textOn } from "../board/contrast";
import type { Label } from "../board/project";

/** The name of a label on its colour. */
export function LabelChip({ label: { name, color } }: { label: Label }) {
  return <span class="chip" style={{ background: color, color: textOn(color) }}>{name}</span>;
}
