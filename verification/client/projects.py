"""Creates, changes and deletes projects and memberships as one account."""

import secrets
import string
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from domain.project import MAX_KEY, ProjectRole
from verification.client.account import Account
from verification.client.failures import Away, Refused
from verification.client.reading import uuid_of

_ERRORS: Final = "userErrors { code message }"
_PROJECT: Final = "id key name"
_CREATE: Final = f"""mutation ($input: CreateProjectInput!) {{
  it: createProject(input: $input) {{ project {{ {_PROJECT} }} {_ERRORS} }} }}"""
_OURS: Final = f"{{ projects(last: 100) {{ nodes {{ {_PROJECT} }} }} }}"
_DELETE: Final = f"mutation ($input: DeleteProjectInput!) {{ it: deleteProject(input: $input) {{ {_ERRORS} }} }}"
_ADD: Final = f"mutation ($input: AddMemberInput!) {{ it: addMember(input: $input) {{ {_ERRORS} }} }}"
_SET: Final = f"mutation ($input: SetMemberRoleInput!) {{ it: setMemberRole(input: $input) {{ {_ERRORS} }} }}"
_REMOVE: Final = f"mutation ($input: RemoveMemberInput!) {{ it: removeMember(input: $input) {{ {_ERRORS} }} }}"
_LEAVE: Final = f"mutation ($input: LeaveProjectInput!) {{ it: leaveProject(input: $input) {{ {_ERRORS} }} }}"
_ARCHIVE: Final = f"mutation ($input: ArchiveProjectInput!) {{ it: archiveProject(input: $input) {{ {_ERRORS} }} }}"


@dataclass(frozen=True, slots=True)
class KnownProject:
    """A project with its id in the API."""

    id: str
    project_id: UUID
    key: str


class Projects:
    """Changes projects and their members. All methods raise `Refused` or `Unreachable` without an acknowledgement."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def create(self, name: str) -> KnownProject:
        """A project of which the account is the manager."""
        answer = await self._ask(_CREATE, {"key": _a_key(), "name": name})
        return _known(answer["project"])

    async def named(self, name: str) -> list[KnownProject]:
        """The projects with this name, among the last 100."""
        found = (await self._account.ask(_OURS))["projects"]["nodes"]
        return [_known(each) for each in found if each["name"] == name]

    async def delete(self, project: KnownProject) -> None:
        """Delete a project with its tasks."""
        await self._ask(_DELETE, {"id": project.id, "confirmKey": project.key})

    async def archive(self, project: KnownProject, *, is_archived: bool) -> None:
        """Archive a project, or make it active again."""
        await self._ask(_ARCHIVE, {"id": project.id, "isArchived": is_archived})

    async def put_member(self, project: KnownProject, user_id: str, role: ProjectRole) -> None:
        """Add a user, or give the member another role."""
        wanted = {"projectId": project.id, "userId": user_id, "role": role.value}
        try:
            await self._ask(_ADD, wanted)
        except Refused as refused:
            if refused.code != "ALREADY_EXISTS":
                raise
            await self._ask(_SET, wanted)

    async def remove_member(self, project: KnownProject, user_id: str) -> None:
        """Remove a member."""
        await self._ask(_REMOVE, {"projectId": project.id, "userId": user_id})

    async def leave(self, project: KnownProject) -> None:
        """End the membership of the account."""
        await self._ask(_LEAVE, {"projectId": project.id})

    async def _ask(self, query: str, wanted: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = (await self._account.ask(query, {"input": wanted}))["it"]
        for refusal in answer["userErrors"]:
            raise Refused(refusal["code"], refusal["message"])
        return answer


async def create_if_permitted(projects: Projects, name: str) -> KnownProject | None:
    """A new project; None if the server has no projects, or the account may not create them.

    Raises:
        Unreachable, Away: it is unknown whether it was created.
    """
    try:
        return await projects.create(name)
    except Refused as refused:
        if isinstance(refused, Away):
            raise
        return None


def _known(project: dict[str, Any]) -> KnownProject:
    return KnownProject(project["id"], uuid_of(project["id"]), project["key"])


def _a_key() -> str:
    return "".join(secrets.choice(string.ascii_uppercase) for _ in range(MAX_KEY))
