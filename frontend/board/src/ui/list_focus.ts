// The focus in a list whose rows come and go.
import { type RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

/**
 * The list of the returned reference keeps the focus when what had it is gone: it goes to the first button of the same row
 * (`data-row`), of the row that has its place now, or to the first input of the dialog.
 */
export function useListFocus(): RefObject<HTMLUListElement | null> {
  const list = useRef<HTMLUListElement>(null);
  const last = useRef<{ row: string; place: number } | null>(null);
  useEffect(() => {
    const element = list.current!;
    const onFocusIn = (event: FocusEvent) => {
      const row = (event.target as Element).closest<HTMLElement>("[data-row]");
      last.current = row && { row: row.dataset["row"]!, place: [...element.children].indexOf(row) };
    };
    const dialog = element.closest("dialog")!;
    dialog.addEventListener("focusin", onFocusIn);
    return () => dialog.removeEventListener("focusin", onFocusIn);
  }, []);
  useLayoutEffect(() => {
    const { activeElement } = document;
    if (!last.current || (activeElement && activeElement !== document.body)) return;
    const { row, place } = last.current;
    const rows = [...list.current!.children] as HTMLElement[];
    const next = rows.find(({ dataset }) => dataset["row"] === row) ?? rows[Math.min(place, rows.length - 1)];
    const target = next?.querySelector<HTMLElement>("button") ?? list.current!.closest("dialog")!.querySelector<HTMLElement>("input, h2");
    target?.focus();
  });
  return list;
}
