import { useEffect, useState } from "preact/hooks";

import { PeopleDocument } from "../api/gql/graphql";
import type { Task } from "../board/fold";
import type { Store } from "../board/store";

type Someone = NonNullable<Task["assignee"]>;

/** More people than this are found by the beginning of their names. */
const MOST = 50;

interface Props {
  readonly store: Store;
  /** Of a project only its members are offered. */
  readonly projectId: string | null;
  readonly value: Task["assignee"];
  readonly disabled: boolean;
  readonly onChoose: (assignee: Task["assignee"]) => void;
}

export function AssigneeSelect({ store, projectId, value, disabled, onChoose }: Props) {
  const [people, setPeople] = useState<readonly Someone[]>([]);
  const [search, setSearch] = useState("");
  const [many, setMany] = useState(false);

  useEffect(() => {
    let over = false;
    const found = store.api.ask(PeopleDocument, { search, projectId });
    void found.then(
      ({ assignableUsers }) => {
        if (over) return;
        setPeople(assignableUsers);
        if (assignableUsers.length === MOST) setMany(true);
      },
      () => {},
    );
    return () => {
      over = true;
    };
  }, [search, projectId]);

  const listed = value && !people.some(({ id }) => id === value.id) ? [value, ...people] : people;
  return (
    <>
      {many && (
        <input
          type="search" placeholder="Names beginning with …" aria-label="Find people" value={search}
          onInput={(event) => setSearch(event.currentTarget.value)}
        />
      )}
      <select
        name="assignee" value={value?.id ?? ""} disabled={disabled} aria-label="Assigned to"
        onChange={({ currentTarget }) => onChoose(listed.find(({ id }) => id === currentTarget.value) ?? null)}
      >
        <option value="">Nobody</option>
        {listed.map(({ id, username }) => (
          <option key={id} value={id}>{username}{id === store.person.id ? " (you)" : ""}</option>
        ))}
      </select>
    </>
  );
}
