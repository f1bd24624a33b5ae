import type { RefObject } from "preact";

import { LONGEST_SEARCH } from "../board/address";
import { everythingOf, isFiltered, PRIORITIES, type Order, type Wanted, type Whose } from "../board/columns";
import type { Label } from "../board/project";
import { PRIORITY_WORDS } from "../board/words";

const WHOSE: Readonly<Record<Whose, string>> = {
  ALL: "Everyone’s",
  OWNED: "Mine",
  ASSIGNED: "Assigned to me",
  UNASSIGNED: "Not assigned",
};
const ORDERS: Readonly<Record<Order, string>> = {
  RANK: "Manual order",
  UPDATED: "Last changed first",
  PRIORITY: "Most urgent first",
  DUE: "Next due first",
  CREATED: "Newest first",
};

interface Props {
  readonly wanted: Wanted;
  /** The key of the project; null: all tasks. */
  readonly project: string | null;
  readonly labels: readonly Label[];
  /** Several changes may come before it is drawn again, so each is made to what is wanted by then. */
  readonly onWanted: (change: (wanted: Wanted) => Wanted) => void;
  readonly search: RefObject<HTMLInputElement | null>;
}

export function Toolbar({ wanted, project, labels, onWanted, search }: Props) {
  const orders = (Object.keys(ORDERS) as Order[]).filter((order) => project !== null || order !== "RANK");
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
      <Choice label="Order" value={wanted.order} words={ORDERS} order={orders} onChoose={(order) => want({ order })} />
      {(labels.length > 0 || wanted.label !== null) && (
        <LabelChoice labels={labels} value={wanted.label} onChoose={(label) => want({ label })} />
      )}
      {isFiltered(wanted) && (
        <button class="quiet" onClick={() => onWanted(({ order }) => ({ ...everythingOf(project), order }))}>Show all</button>
      )}
    </div>
  );
}

interface LabelProps {
  readonly labels: readonly Label[];
  readonly value: string | null;
  readonly onChoose: (id: string | null) => void;
}

function LabelChoice({ labels, value, onChoose }: LabelProps) {
  const isKnown = value === null || labels.some(({ id }) => id === value);
  return (
    <select aria-label="Label" value={value ?? ""} onChange={(event) => onChoose(event.currentTarget.value || null)}>
      <option value="">Any label</option>
      {!isKnown && <option value={value}>A deleted label</option>}
      {labels.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
    </select>
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
