import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

interface Props {
  readonly label: string;
  /** What the menu stands beside. */
  readonly anchor: Element;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** A menu of buttons. The arrow keys lead from one to the next; pressing one closes the menu. */
export function Menu({ label, anchor, onClose, children }: Props) {
  const menu = useRef<HTMLDivElement>(null);

  useLayoutEffect(() => {
    const element = menu.current!;
    element.showPopover();
    place(element, anchor.getBoundingClientRect());
    (element.querySelector<HTMLElement>("[aria-checked=true]") ?? element.querySelector("button"))?.focus();
  }, []);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Tab") return menu.current?.hidePopover();
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const items = [...menu.current!.querySelectorAll<HTMLElement>("button")];
    const here = items.indexOf(document.activeElement as HTMLElement);
    items.at((here + step) % items.length)?.focus();
  };
  // Before the button's own work: the focus is back on what opened the menu, so a dialog that is opened returns it there.
  const onClick = (event: MouseEvent) => {
    if ((event.target as Element).closest("button")) menu.current?.hidePopover();
  };

  return (
    <div
      ref={menu} class="menu" popover="auto" role="menu" aria-label={label}
      onKeyDown={onKeyDown} onClickCapture={onClick} onToggle={(event) => event.newState === "closed" && onClose()}
    >
      {children}
    </div>
  );
}

const MARGIN = 8;

/** From here on an anchor is wide: a menu begins where it begins. */
const WIDE = 60;

/** Below the anchor, or above it where there is no room. */
function place(element: HTMLElement, anchor: DOMRect): void {
  const { width, height } = element.getBoundingClientRect();
  const wanted = anchor.width < WIDE ? anchor.right - width : anchor.left;
  const left = Math.max(MARGIN, Math.min(wanted, innerWidth - width - MARGIN));
  const below = anchor.bottom + 4;
  const top = below + height + MARGIN > innerHeight ? Math.max(MARGIN, anchor.top - height - 4) : below;
  Object.assign(element.style, { left: `${left}px`, top: `${top}px` });
}
