import { useLayoutEffect, useRef } from "preact/hooks";

import type { TaskStatus } from "../api/gql/graphql";
import { STATUSES } from "../board/columns";
import type { ShownTask } from "../board/pending_changes";
import { isAllowed } from "../board/transitions";
import { STATUS_WORDS } from "../board/words";
import { StatusIcon } from "./icons";

interface Props {
  readonly task: ShownTask;
  /** What the menu stands beside. */
  readonly anchor: Element;
  readonly onMove: (status: TaskStatus) => void;
  readonly onClose: () => void;
}

/** The columns that accept the task, and the one where it is. */
export function MoveMenu({ task, anchor, onMove, onClose }: Props) {
  const menu = useRef<HTMLDivElement>(null);

  useLayoutEffect(() => {
    const element = menu.current!;
    element.showPopover();
    place(element, anchor.getBoundingClientRect());
    element.querySelector<HTMLElement>("[aria-checked=true]")?.focus();
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

  const offered = STATUSES.filter((status) => status === task.status || isAllowed(task.status, status));
  return (
    <div
      ref={menu} class="menu" popover="auto" role="menu" aria-label={`Move “${task.title}” to`}
      onKeyDown={onKeyDown} onToggle={(event) => event.newState === "closed" && onClose()}
    >
      {offered.map((status) => (
        <button
          key={status} role="menuitemradio" aria-checked={status === task.status} tabIndex={-1}
          onClick={() => {
            onMove(status);
            menu.current?.hidePopover();
          }}
        >
          <StatusIcon status={status} /> {STATUS_WORDS[status]}
        </button>
      ))}
    </div>
  );
}

const MARGIN = 8;

/** Below the anchor, or above it where there is no room. */
function place(element: HTMLElement, anchor: DOMRect): void {
  const { width, height } = element.getBoundingClientRect();
  const left = Math.max(MARGIN, Math.min(anchor.right - width, innerWidth - width - MARGIN));
  const below = anchor.bottom + 4;
  const top = below + height + MARGIN > innerHeight ? Math.max(MARGIN, anchor.top - height - 4) : below;
  Object.assign(element.style, { left: `${left}px`, top: `${top}px` });
}
