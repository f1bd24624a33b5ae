"""`USER_DIRECTORY=projects`: whom a user finds in `assignableUsers` without a project."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from domain.project import ProjectRole
from domain.user import Role, UserDirectory
from graphql_api.schema.ids import encode_id
from persistence.models import UserRow
from tests.support.api import Api
from tests.support.api_server import an_api
from tests.support.waiting import HANG_SECONDS

QUERY = "query ($search: String!) { assignableUsers(search: $search, first: 50) { username } }"


@pytest.fixture(scope="module")
async def api(new_database: Callable[[], str], new_redis: Callable[[], str]) -> AsyncIterator[Api]:
    """A server with this setting."""
    async with an_api(new_database(), new_redis(), {"user_directory": UserDirectory.PROJECTS}) as api:
        yield api


async def found(api: Api, by: UserRow, search: str = "") -> set[str]:
    """The users that a user finds."""
    return {each["username"] for each in (await api.ask(QUERY, by, search=search)).data["assignableUsers"]}


async def test_users_find_those_of_their_projects(api: Api):
    """In any role, in both directions, and themselves; not those of other projects, and not after they have left."""
    first, second, third, alone = [await api.a_user() for _ in range(4)]
    await api.build.a_project((first, ProjectRole.MANAGER), (second, ProjectRole.VIEWER))
    other = await api.build.a_project((second, ProjectRole.MANAGER), (third, ProjectRole.MEMBER))

    assert await found(api, first) == {first.username, second.username}
    assert await found(api, second) == {first.username, second.username, third.username}
    assert await found(api, third) == {second.username, third.username}
    assert await found(api, third, search=first.username) == set()
    assert await found(api, alone) == {alone.username}

    removed = await api.ask(
        "mutation ($input: LeaveProjectInput!) { leaveProject(input: $input) { userErrors { code } } }",
        third,
        input={"projectId": encode_id("Project", other.id)},
    )
    assert removed.payload("leaveProject")
    assert await found(api, third) == {third.username}


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.ADMIN])
async def test_moderators_and_admins_find_everyone(api: Api, role: Role):
    """They see the tasks of all users, too."""
    by, other = await api.a_user(role), await api.a_user()

    assert await found(api, by, search=other.username) == {other.username}


async def test_a_user_who_becomes_a_moderator_finds_everyone(api: Api):
    """The rights of a token change with the role, within a second."""
    admin, user, other = await api.a_user(Role.ADMIN), await api.a_user(), await api.a_user()
    assert await found(api, user, search=other.username) == set()
    await api.ask(
        "mutation ($input: SetUserRoleInput!) { setUserRole(input: $input) { userErrors { code } } }",
        admin,
        input={"userId": encode_id("User", user.id), "role": "MODERATOR"},
    )

    async with asyncio.timeout(HANG_SECONDS):
        while await found(api, user, search=other.username) != {other.username}:
            await asyncio.sleep(0.05)
