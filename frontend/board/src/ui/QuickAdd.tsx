import { useLayoutEffect, useRef, useState } from "preact/hooks";

const LONGEST_TITLE = 200;

interface Props {
  /** The name of the column. */
  readonly name: string;
  /** Answers what is wrong, or null. */
  readonly onAdd: (title: string) => Promise<string | null>;
}

/** A text field at the end of a column: Enter creates a task there, Escape closes the field. */
export function QuickAdd({ name, onAdd }: Props) {
  const [isOpen, setOpen] = useState(false);
  const [problem, setProblem] = useState("");
  const button = useRef<HTMLButtonElement>(null);
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => field.current?.focus(), [isOpen]);

  const add = async (input: HTMLInputElement) => {
    const title = input.value.trim();
    if (!title) return;
    input.value = ""; // the next one can be typed at once
    setProblem("");
    const found = await onAdd(title);
    if (found === null) return;
    setProblem(found);
    input.value ||= title;
  };
  const close = () => {
    setOpen(false);
    setProblem("");
    queueMicrotask(() => button.current?.focus());
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (event.key === "Enter") void add(event.currentTarget as HTMLInputElement);
    if (event.key === "Escape") close();
  };

  if (!isOpen) {
    return (
      <button ref={button} class="quiet quick-add" onClick={() => setOpen(true)}>
        <span aria-hidden="true">+ </span>Add task<span class="visually-hidden"> to {name}</span>
      </button>
    );
  }
  return (
    <div class="quick-add">
      <input
        ref={field} maxLength={LONGEST_TITLE} placeholder="Title" aria-label={`Title of a new task in ${name}`}
        aria-keyshortcuts="Enter Escape" autocomplete="off" onKeyDown={onKeyDown}
        onBlur={(event) => event.currentTarget.value.trim() || problem || setOpen(false)}
      />
      <p class="problem" role="alert">{problem}</p>
    </div>
  );
}
