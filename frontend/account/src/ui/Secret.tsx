import { useEffect, useRef, useState } from "preact/hooks";

interface Props {
  readonly text: string;
  /** What it is: "token". */
  readonly what: string;
  readonly onDone: () => void;
}

/** A secret that is shown once. It gets the focus, selected, so that it can be copied without a button, too. */
export function Secret({ text, what, onDone }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState("");
  useEffect(() => input.current!.select(), []);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied("Copied.");
    } catch {
      input.current!.select();
      setCopied("Press Ctrl+C or ⌘C to copy it.");
    }
  };
  return (
    <div class="inset secret">
      <label>
        Copy the {what} now. It is not shown again.
        <input ref={input} readOnly value={text} spellcheck={false} />
      </label>
      <div class="actions">
        <span class="fine" role="status">{copied}</span>
        <button class="primary" onClick={() => void copy()}>Copy</button>
        <button onClick={onDone}>Done</button>
      </div>
    </div>
  );
}
