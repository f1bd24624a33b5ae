import { useEffect, useState } from "preact/hooks";

import { PeopleDocument, type PeopleQuery, type ProjectRole } from "../api/gql/graphql";
import type { Store } from "../board/store";
import { RoleSelect } from "./RoleSelect";

type Person = PeopleQuery["assignableUsers"][number];

interface Props {
  readonly store: Store;
  /** The ids of those who are members already. */
  readonly members: readonly (string | undefined)[];
  readonly onAdd: (userId: string, role: ProjectRole) => void;
}

/** Finds users by the beginning of their names, and adds them with a role. */
export function AddMember({ store, members, onAdd }: Props) {
  const [search, setSearch] = useState("");
  const [role, setRole] = useState<ProjectRole>("MEMBER");
  const found = usePeople(store, search.trim()).filter(({ id }) => !members.includes(id));
  return (
    <section class="part" aria-labelledby="add-member">
      <h3 id="add-member">Add a member</h3>
      <div class="line">
        <input
          type="search" placeholder="Names beginning with …" aria-label="Find a user" value={search}
          onInput={(event) => setSearch(event.currentTarget.value)}
        />
        <RoleSelect label="Role of the new member" value={role} onChoose={setRole} />
      </div>
      {search.trim() !== "" && (
        <ul class="rows">
          {found.map(({ id, username }) => (
            <li key={id}>
              <span class="what">{username}</span>
              <button aria-label={`Add ${username}`} onClick={() => onAdd(id, role)}>Add</button>
            </li>
          ))}
          {!found.length && <li class="fine">No other user has a name that begins with this text.</li>}
        </ul>
      )}
    </section>
  );
}

function usePeople(store: Store, search: string): readonly Person[] {
  const [people, setPeople] = useState<readonly Person[]>([]);
  useEffect(() => {
    if (!search) return setPeople([]);
    let over = false;
    void store.api.ask(PeopleDocument, { search }).then(({ assignableUsers }) => over || setPeople(assignableUsers), () => {});
    return () => {
      over = true;
    };
  }, [search]);
  return people;
}
