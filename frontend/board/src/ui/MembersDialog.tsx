import { useEffect, useState } from "preact/hooks";

import type { ProjectRole } from "../api/gql/graphql";
import { MembersDocument, type MembersQuery } from "../api/gql/graphql";
import type { Store } from "../board/store";
import { ROLE_WORDS } from "../board/words";
import { AddMember } from "./AddMember";
import { Dialog } from "./Dialog";
import { RoleSelect } from "./RoleSelect";

type Member = NonNullable<MembersQuery["project"]>["members"]["nodes"][number];

/** The members of the project and their roles. Managers change them, everyone may leave. */
export function MembersDialog({ store, onClose }: { store: Store; onClose: () => void }) {
  const { members, problem, run } = useMembers(store);
  const { team, state: { project }, person } = store;
  const isManager = !!project?.viewerCanManageMembers && !project.isArchived;
  const isMember = project?.viewerRole != null;
  return (
    <Dialog store={store} title={`Members of ${project?.key ?? ""}`} onLeave={onClose}>
      <p class="problem" role="alert">{problem}</p>
      <ul class="rows">
        {members.map((member) => (
          <Row
            key={member.id} member={member} isManager={isManager} isViewer={member.user?.id === person.id}
            onRole={(id, role) => run(() => team.setRole(id, role))} onRemove={(id) => run(() => team.remove(id))}
          />
        ))}
      </ul>
      {isManager && (
        <AddMember store={store} members={members.map(({ user }) => user?.id)} onAdd={(id, role) => run(() => team.add(id, role))} />
      )}
      {isMember && (
        <div class="actions"><button class="danger" onClick={() => run(() => team.leave())}>Leave the project …</button></div>
      )}
    </Dialog>
  );
}

interface RowProps {
  readonly member: Member;
  readonly isManager: boolean;
  readonly isViewer: boolean;
  readonly onRole: (userId: string, role: ProjectRole) => void;
  readonly onRemove: (userId: string) => void;
}

function Row({ member: { user, role }, isManager, isViewer, onRole, onRemove }: RowProps) {
  if (!user) return null;
  const { id, username } = user;
  return (
    <li>
      <span class="what">{username}{isViewer && <small> you</small>}</span>
      {isManager
        ? <RoleSelect label={`Role of ${username}`} value={role} onChoose={(chosen) => onRole(id, chosen)} />
        : <span>{ROLE_WORDS[role]}</span>}
      {isManager && !isViewer && <button aria-label={`Remove ${username}`} onClick={() => onRemove(id)}>Remove</button>}
    </li>
  );
}

/** The members, read again whenever they have changed, and what is wrong with the last change. */
function useMembers(store: Store) {
  const [members, setMembers] = useState<readonly Member[]>([]);
  const [problem, setProblem] = useState("");
  const key = store.projectKey;
  useEffect(() => {
    let over = false;
    void readMembers(store, key).then(
      (found) => over || setMembers(found),
      (error: Error) => over || setProblem(error.message),
    );
    return () => {
      over = true;
    };
  }, [store.state.membersSeen]);
  const run = (work: () => Promise<string | null>) => void work().then((found) => setProblem(found ?? ""));
  return { members, problem, run };
}

async function readMembers(store: Store, key: string | null): Promise<readonly Member[]> {
  const found: Member[] = [];
  for (let after: string | null = null; ; ) {
    const { project }: MembersQuery = await store.api.ask(MembersDocument, { key, after });
    if (!project) return found;
    found.push(...project.members.nodes);
    if (!project.members.pageInfo.hasNextPage) return found;
    after = project.members.pageInfo.endCursor;
  }
}
