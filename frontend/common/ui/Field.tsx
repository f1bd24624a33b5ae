import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

import type { Problem } from "../problem";

interface InputProps {
  readonly name: string;
  readonly "aria-invalid": "true" | undefined;
  readonly "aria-describedby": string;
}

interface Props {
  readonly name: string;
  readonly label: string;
  readonly hint?: ComponentChildren;
  readonly problem: Problem | null;
  /** Draws the input with these attributes. */
  readonly children: (props: InputProps) => ComponentChildren;
}

/** An input with its name, a hint, and what is wrong with its value. */
export function Field({ name, label, hint, problem, children }: Props) {
  const id = useId();
  const isWrong = problem?.field === name;
  return (
    <div class="field">
      <label>
        {label}
        {children({ name, "aria-invalid": isWrong ? "true" : undefined, "aria-describedby": `${id}-hint ${id}-problem` })}
      </label>
      <p class="problem" role="alert" id={`${id}-problem`}>{isWrong && problem.text}</p>
      <p class="fine" id={`${id}-hint`}>{hint}</p>
    </div>
  );
}

/** What is wrong with all of a form. */
export function FormProblem({ problem }: { problem: Problem | null }) {
  return <p class="problem" role="alert">{problem?.field === null && problem.text}</p>;
}
