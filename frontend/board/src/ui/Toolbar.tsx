import type { RefObject } from "preact";

import { LONGEST_SEARCH } from "../board/address";
import { EVERYTHING, isFiltered, PRIORITIES, type Order, type Wanted, type Whose } from "../board/columns";
import { PRIORITY_WORDS } from "../board/words";

const WHOSE: Readonly<Record<Whose, string>> = {
  ALL: "All tasks",
  OWNED: "Mine",
  ASSIGNED: "Assigned to me",
  UNASSIGNED: "Not assigned",
};
const ORDERS: Readonly<Record<Order, string>> = {
  UPDATED: "Last changed first",
  PRIORITY: "Most urgent first",
  DUE: "Next due first",
  CREATED: "Newest first",
};

interface Props {
  readonly wanted: Wanted;
  /** Several changes may come before it is drawn again, so each is made to what is wanted by then. */
  readonly onWanted: (change: (wanted: Wanted) => Wanted) => void;
  readonly search: RefObject<HTMLInputElement | null>;
}

export function Toolbar({ wanted, onWanted, search }: Props) {
  const want = (change: Partial<Wanted>) => onWanted((now) => ({ ...now, ...change }));
  return (
    <div class="toolbar" role="search" aria-label="Tasks">
      <input
        ref={search} type="search" maxLength={LONGEST_SEARCH} value={wanted.search} placeholder="Search  ( / )" aria-label="Search titles and descriptions"
        aria-keyshortcuts="/" onInput={(event) => want({ search: event.currentTarget.value })}
      />
      <Choice label="Whose" value={wanted.whose} words={WHOSE} onChoose={(whose) => want({ whose })} />
      <Choice
        label="Priority" value={wanted.priority} words={{ ALL: "Any priority", ...PRIORITY_WORDS }}
        order={["ALL", ...[...PRIORITIES].reverse()]} onChoose={(priority) => want({ priority })}
      />
      <Choice label="Order" value={wanted.order} words={ORDERS} onChoose={(order) => want({ order })} />
      {isFiltered(wanted) && (
        <button class="quiet" onClick={() => onWanted(({ order }) => ({ ...EVERYTHING, order }))}>Show all</button>
      )}
    </div>
  );
}

interface ChoiceProps<Value extends string> {
  readonly label: string;
  readonly value: Value;
  readonly words: Readonly<Record<Value, string>>;
  readonly order?: readonly Value[];
  readonly onChoose: (value: Value) => void;
}

function Choice<Value extends string>({ label, value, words, order, onChoose }: ChoiceProps<Value>) {
  return (
    <select aria-label={label} value={value} onChange={(event) => onChoose(event.currentTarget.value as Value)}>
      {(order ?? (Object.keys(words) as Value[])).map((each) => <option key={each} value={each}>{words[each]}</option>)}
    </select>
  );
}
