import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface Props {
  readonly title: string;
  /** What the page says after an action; it is read aloud. */
  readonly said?: string;
  readonly children: ComponentChildren;
}

/** A part of a page, with its heading. The heading gets the focus when what had it is gone. */
export function Panel({ title, said = "", children }: Props) {
  const id = useId();
  return (
    <section class="panel" aria-labelledby={id}>
      <h2 id={id} tabIndex={-1}>{title}</h2>
      <p class="note" role="status">{said}</p>
      {children}
    </section>
  );
}

/** To the heading of the part with *element*, whose row is about to go. */
export function headingOf(element: Element): HTMLElement | null {
  return element.closest("section")?.querySelector("h2") ?? null;
}

/** While there is nothing to show: why, and a button to try again. */
export function Waiting({ problem, onRetry }: { problem: string; onRetry: () => void }) {
  if (!problem) return <p class="splash" role="status">…</p>;
  return (
    <section class="panel">
      <p class="problem" role="alert">{problem}</p>
      <p><button onClick={onRetry}>Try again</button></p>
    </section>
  );
}
