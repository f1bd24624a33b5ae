import { FIELD_WORDS, type FieldName, type Fields } from "../board/fields";
import { PRIORITY_WORDS } from "../board/words";
import { exactly } from "./times";

interface Props {
  readonly names: readonly FieldName[];
  readonly mine: Fields;
  readonly theirs: Fields;
  readonly onDecide: (name: FieldName, choice: "MINE" | "THEIRS") => void;
}

/** The fields that both sides changed, with both values. Nothing is lost before the writer chooses. */
export function Conflicts({ names, mine, theirs, onDecide }: Props) {
  return (
    <section class="conflicts" aria-label="Conflicts">
      {names.map((name) => (
        <fieldset key={name}>
          <legend>{FIELD_WORDS[name]}</legend>
          <Value whose="Yours" text={shown(name, mine)} choose={`Keep your ${word(name)}`} onChoose={() => onDecide(name, "MINE")} />
          <Value whose="Theirs" text={shown(name, theirs)} choose={`Use their ${word(name)}`} onChoose={() => onDecide(name, "THEIRS")} />
        </fieldset>
      ))}
    </section>
  );
}

interface ValueProps {
  readonly whose: string;
  readonly text: string;
  readonly choose: string;
  readonly onChoose: () => void;
}

function Value({ whose, text, choose, onChoose }: ValueProps) {
  return (
    <div class="value">
      <h3>{whose}</h3>
      <p tabIndex={0} role="group" aria-label={whose}>{text || <i>empty</i>}</p>
      <button type="button" onClick={onChoose}>{choose}</button>
    </div>
  );
}

function shown(name: FieldName, fields: Fields): string {
  if (name === "priority") return PRIORITY_WORDS[fields.priority];
  if (name === "dueAt") return fields.dueAt === null ? "" : exactly(fields.dueAt);
  return fields[name];
}

function word(name: FieldName): string {
  return FIELD_WORDS[name].toLowerCase();
}
