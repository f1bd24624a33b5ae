import type { ProjectRole } from "../api/gql/graphql";
import { ROLE_WORDS } from "../board/words";

interface Props {
  readonly label: string;
  readonly value: ProjectRole;
  readonly onChoose: (role: ProjectRole) => void;
}

export function RoleSelect({ label, value, onChoose }: Props) {
  return (
    <select aria-label={label} value={value} onChange={(event) => onChoose(event.currentTarget.value as ProjectRole)}>
      {(Object.keys(ROLE_WORDS) as ProjectRole[]).map((role) => <option key={role} value={role}>{ROLE_WORDS[role]}</option>)}
    </select>
  );
}
