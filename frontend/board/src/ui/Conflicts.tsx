interface Props<Name extends string> {
  readonly names: readonly Name[];
  readonly words: Readonly<Record<Name, string>>;
  /** The values as texts. */
  readonly mine: (name: Name) => string;
  readonly theirs: (name: Name) => string;
  readonly onDecide: (name: Name, choice: "MINE" | "THEIRS") => void;
}

/** The fields that both sides changed, with both values. Nothing is lost before the writer chooses. */
export function Conflicts<Name extends string>({ names, words, mine, theirs, onDecide }: Props<Name>) {
  const word = (name: Name) => words[name].toLowerCase();
  /** The button goes with the decision: the focus moves to the input that it is about. */
  const decide = (name: Name, choice: "MINE" | "THEIRS", { form }: HTMLButtonElement) => {
    onDecide(name, choice);
    (form?.querySelector<HTMLElement>(`[name="${name}"]`) ?? form?.querySelector("input"))?.focus();
  };
  return (
    <>
      <p class="note" role="status">
        {names.length > 0 && "Another user changed this, too. Which value do you want to keep?"}
      </p>
      {names.length > 0 && (
        <section class="conflicts" aria-label="Conflicts">
          {names.map((name) => (
            <fieldset key={name}>
              <legend>{words[name]}</legend>
              <Value whose="Yours" text={mine(name)} choose={`Keep your ${word(name)}`} onChoose={(button) => decide(name, "MINE", button)} />
              <Value whose="Theirs" text={theirs(name)} choose={`Use their ${word(name)}`} onChoose={(button) => decide(name, "THEIRS", button)} />
            </fieldset>
          ))}
        </section>
      )}
    </>
  );
}

interface ValueProps {
  readonly whose: string;
  readonly text: string;
  readonly choose: string;
  readonly onChoose: (button: HTMLButtonElement) => void;
}

function Value({ whose, text, choose, onChoose }: ValueProps) {
  return (
    <div class="value">
      <h3>{whose}</h3>
      <p tabIndex={0} role="group" aria-label={whose}>{text || <i>empty</i>}</p>
      <button type="button" onClick={(event) => onChoose(event.currentTarget)}>{choose}</button>
    </div>
  );
}
