"""`PROJECT_CREATION`: who may create projects, and how clients know it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import product
from typing import Any
from uuid import uuid4

import pytest

from domain.project import ProjectCreation
from domain.user import Role
from graphql_api.schema.ids import encode_id
from persistence.models import UserRow
from tests.graphql_api.test_nested_fields import MAY_CREATE
from tests.support.api import Api
from tests.support.api_server import an_api
from tests.support.waiting import HANG_SECONDS

CREATE = "mutation ($input: CreateProjectInput!) { createProject(input: $input) { userErrors { code } } }"
REGISTER = """mutation ($input: RegisterInput!) {
  register(input: $input) { user { viewerCanCreateProjects } userErrors { code } } }"""
LOGIN = """mutation ($input: LoginInput!) {
  login(input: $input) { user { viewerCanCreateProjects } refreshToken userErrors { code } } }"""
REFRESH = """mutation ($input: RefreshTokenInput!) {
  refreshToken(input: $input) { user { viewerCanCreateProjects } userErrors { code } } }"""
SET_ROLE = """mutation ($input: SetUserRoleInput!) {
  setUserRole(input: $input) { user { viewerCanCreateProjects } userErrors { code } } }"""
PASSWORD = "Correct-horse1"

PERMITTED = {
    ProjectCreation.EVERYONE: set(Role),
    ProjectCreation.MODERATORS: {Role.MODERATOR, Role.ADMIN},
    ProjectCreation.ADMINS: {Role.ADMIN},
}


@pytest.fixture(scope="module", params=ProjectCreation)
async def api(
    request: pytest.FixtureRequest, new_database: Callable[[], str], new_redis: Callable[[], str]
) -> AsyncIterator[Api]:
    """A server with this setting."""
    async with an_api(new_database(), new_redis(), {"project_creation": request.param}) as api:
        yield api


def is_permitted(api: Api, role: Role) -> bool:
    """What this server's setting says."""
    return role in PERMITTED[api.server.backend.project_creation]


async def creates(api: Api, by: UserRow) -> bool:
    """Whether the user can create a project."""
    answer = await api.ask(CREATE, by, input={"key": f"K{uuid4().hex[:8]}", "name": "x"})
    errors = answer.data["createProject"]["userErrors"]
    assert errors in ([], [{"code": "FORBIDDEN"}])
    return not errors


@pytest.mark.parametrize(("role", "of"), [*product(Role, Role)], ids=lambda role: role.name)
async def test_the_field_says_what_the_mutation_does(api: Api, role: Role, of: Role):
    """For oneself; for another user it is false, whatever either of them may do."""
    by, other = await api.a_user(role), await api.a_user(of)
    found = (await api.ask(MAY_CREATE, by, id=encode_id("User", other.id))).data
    assert found == {
        "me": {"viewerCanCreateProjects": is_permitted(api, role)},
        "user": {"viewerCanCreateProjects": False},
    }
    assert await creates(api, by) is is_permitted(api, role)


async def test_the_payloads_of_signing_in(api: Api):
    """The user is the viewer there, with the rights of the new session."""
    name = f"u{uuid4().hex[:12]}"
    given = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
    expected = {"viewerCanCreateProjects": is_permitted(api, Role.USER)}

    assert (await api.ask(REGISTER, input=given)).payload("register")["user"] == expected
    sent: dict[str, Any] = {"username": name, "password": PASSWORD, "returnRefreshToken": True}
    login = (await api.ask(LOGIN, input=sent)).payload("login")
    assert login["user"] == expected
    renewed = await api.ask(REFRESH, input={"refreshToken": login["refreshToken"]})
    assert renewed.payload("refreshToken")["user"] == expected


async def test_it_follows_the_role(api: Api):
    """Within a second. The admin who changes the role sees false: it is another user."""
    admin, user = await api.a_user(Role.ADMIN), await api.a_user()
    identity = encode_id("User", user.id)
    assert (await api.ask(MAY_CREATE, user, id=identity)).data["user"] == {
        "viewerCanCreateProjects": is_permitted(api, Role.USER)
    }
    changed = await api.ask(SET_ROLE, admin, input={"userId": identity, "role": "ADMIN"})
    assert changed.payload("setUserRole")["user"] == {"viewerCanCreateProjects": False}
    expected = {"me": {"viewerCanCreateProjects": True}, "user": {"viewerCanCreateProjects": True}}
    async with asyncio.timeout(HANG_SECONDS):
        while (await api.ask(MAY_CREATE, user, id=identity)).body.get("data") != expected:
            await asyncio.sleep(0.05)
