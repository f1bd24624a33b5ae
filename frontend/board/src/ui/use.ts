import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

import type { Store, Unsaved } from "../board/store";

/** Text of an open dialog that is not saved: what would lose it asks first. */
export function useUnsaved(store: Store, unsaved: Unsaved): void {
  const latest = useRef(unsaved);
  latest.current = unsaved;
  useLayoutEffect(() => {
    store.dialog = { isUnsaved: () => latest.current.isUnsaved(), forget: () => latest.current.forget() };
    return () => {
      store.dialog = null;
    };
  }, []);
}

/** The key as it would be without Caps Lock. */
export function letterOf(event: Pick<KeyboardEvent, "key" | "shiftKey" | "getModifierState">): string {
  return event.getModifierState("CapsLock") && !event.shiftKey ? event.key.toLowerCase() : event.key;
}

/** Single keys that work outside of text fields. */
export function useShortcuts(keys: Readonly<Record<string, () => void>>): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const target = event.target as Element;
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (target.closest("input, textarea, select, dialog, [popover]") || document.querySelector("dialog[open]")) return;
      const work = keys[letterOf(event)];
      if (!work) return;
      event.preventDefault();
      work();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  });
}
