"""A project with its members, for tests of the API."""

from typing import Any

from domain.project import ProjectRole
from domain.user import Role
from graphql_api.schema.ids import encode_id
from persistence.models import ProjectRow, UserRow
from services import membership as membership_service
from tests.support.api import Api
from tests.support.builders import AnyTask


def project_id(row: ProjectRow) -> str:
    """A project's id as clients know it."""
    return encode_id("Project", row.id)


async def codes(api: Api, query: str, by: UserRow, /, **sent: Any) -> list[str]:
    """The codes of the refusals of a mutation."""
    [payload] = (await api.ask(query, by, input=sent)).data.values()
    return [error["code"] for error in payload["userErrors"]]


class Team:
    """A project with a member of each role, who is also the assignee or the owner of a task, and others."""

    def __init__(self, api: Api, people: dict[str, UserRow], project: ProjectRow, task: AnyTask) -> None:
        self.api, self.people, self.project, self.task = api, people, project, task

    @classmethod
    async def made(cls, api: Api, *, is_archived: bool = False) -> "Team":
        """The project, and a task that a former member created and to whom it is assigned."""
        people = {name: await api.a_user() for name in ("viewer", "member", "manager", "former", "outsider")}
        people |= {"moderator": await api.a_user(Role.MODERATOR), "admin": await api.a_user(Role.ADMIN)}
        roles = [(people[role.name.lower()], role) for role in ProjectRole]
        project = await api.build.a_project(*roles, is_archived=is_archived)
        former = people["former"]
        task = await api.build.a_task(former, assignee_id=former.id, project_id=project.id, title="Team's")
        return cls(api, people, project, task)


async def set_role(api: Api, team: Team, name: str, role: ProjectRole | None) -> None:
    """Add, change or remove a member."""
    uow, user = api.build.as_(team.people["admin"]), team.people[name]
    if role is None:
        await membership_service.remove_member(uow, project_id=team.project.id, user_id=user.id)
    else:
        await membership_service.put_member(uow, project_id=team.project.id, user_id=user.id, role=role)
