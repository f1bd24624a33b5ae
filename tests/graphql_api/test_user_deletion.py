"""`deleteUser` through the API: what ends, in which time, and what others see then."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from domain.access_token import Scope
from domain.user import Role
from graphql_api.auth.passwords import Passwords
from graphql_api.schema.ids import encode_id
from persistence.models import UserRow
from tests.support.api import Api
from tests.support.api_server import an_api
from tests.support.serving import serving
from tests.support.waiting import HANG_SECONDS
from tests.support.websocket_client import connected

PASSWORD = "Str0ng-password"
DELETE = """mutation ($input: DeleteUserInput!) { deleteUser(input: $input) {
  deletedUserId changedTasks isComplete remainingData { place description until }
  userErrors { code message path } } }"""
LOGIN = """mutation ($input: LoginInput!) { login(input: $input) {
  accessToken refreshToken userErrors { code } } }"""
REFRESH = """mutation ($input: RefreshTokenInput!) { refreshToken(input: $input) {
  accessToken userErrors { code } } }"""
ME = "{ me { username } }"
CREATE = """mutation ($title: String!) { createTask(input: {title: $title}) { task { id } userErrors { code } } }"""
CHANGES = "subscription { taskChanged { __typename } }"


async def person(api: Api, role: Role = Role.USER) -> UserRow:
    """A user with the password."""
    passwords = Passwords(4)
    hashed = await passwords.hash(PASSWORD)
    passwords.close()
    return await api.a_user(role, password_hash=hashed)


async def delete(api: Api, user: UserRow, by: UserRow | str, **values: Any) -> dict[str, Any]:
    """The payload of the mutation, without refusals."""
    answer = await api.ask(DELETE, by, input={"userId": encode_id("User", user.id), **values})
    return answer.payload("deleteUser")


async def test_an_account_from_its_use_to_its_end(api: Api):
    """Nothing that was issued before works afterwards, at this process at once."""
    user = await person(api)
    signed_in = (
        await api.ask(LOGIN, input={"username": user.username, "password": PASSWORD, "returnRefreshToken": True})
    ).payload("login")
    _, personal = await api.build.an_access_token(user, Scope.TASKS_READ, Scope.TASKS_WRITE)
    for token in (signed_in["accessToken"], personal):
        assert (await api.ask(ME, token)).data["me"]["username"] == user.username
    pending = {"idempotency-key": "pending"}
    made = await api.ask(CREATE, personal, headers=pending, title="Mine")
    task_id = made.payload("createTask")["task"]["id"]

    answer = await api.ask(
        DELETE,
        signed_in["accessToken"],
        input={"userId": encode_id("User", user.id), "deleteTasks": True, "currentPassword": PASSWORD},
    )
    payload = answer.payload("deleteUser")
    assert payload["deletedUserId"] == encode_id("User", user.id)
    assert (payload["changedTasks"], payload["isComplete"]) == (1, True)
    assert len(payload["remainingData"]) == 7
    assert "max-age=0" in answer.http.headers["set-cookie"].lower()

    await _until_refused(api, signed_in["accessToken"])
    await _until_refused(api, personal)
    assert (await api.ask(CREATE, personal, headers=pending, title="Mine")).codes == ["UNAUTHENTICATED"]
    refresh = await api.ask(REFRESH, input={"refreshToken": signed_in["refreshToken"]})
    assert refresh.refusal("refreshToken")["code"] == "INVALID_CREDENTIALS"
    again = await api.ask(LOGIN, input={"username": user.username, "password": PASSWORD})
    assert again.refusal("login")["code"] == "INVALID_CREDENTIALS"
    admin = await api.a_user(Role.ADMIN)
    assert (await api.ask("query ($id: ID!) { task(id: $id) { id } }", admin, id=task_id)).data["task"] is None


async def _until_refused(api: Api, token: str) -> None:
    async with asyncio.timeout(HANG_SECONDS):
        while (await api.ask(ME, token)).codes != ["UNAUTHENTICATED"]:
            await asyncio.sleep(0.01)


async def test_others_see_a_placeholder(api: Api):
    """The object stays the same, and is marked; refusals name the field."""
    admin, user = await api.a_user(Role.ADMIN), await person(api)
    refused = await api.ask(
        DELETE, user, input={"userId": encode_id("User", user.id), "currentPassword": "Wr0ng-password"}
    )
    refusal = refused.refusal("deleteUser")
    assert (refusal["code"], refusal["path"]) == ("INVALID_CREDENTIALS", ["currentPassword"])
    assert (await api.ask(ME, user)).data["me"]["username"] == user.username
    await delete(api, user, admin)
    query = "query ($id: ID!) { user(id: $id) { id username email role isActive deletedAt } }"
    seen = (await api.ask(query, admin, id=encode_id("User", user.id))).data["user"]
    assert seen["username"].startswith("deleted-")
    assert seen["email"].endswith("@deleted.invalid")
    assert (seen["role"], seen["isActive"], seen["deletedAt"] is None) == ("USER", False, False)
    assignable = await api.ask('{ assignableUsers(search: "deleted-") { id } }', admin)
    assert assignable.data["assignableUsers"] == []


async def test_the_new_owner_gets_the_events(live: Api):
    """An open subscription of the user who gets a task has its event; the deleted user's socket is closed."""
    admin, user, heir = await live.a_user(Role.ADMIN), await person(live), await live.a_user()
    task = await live.build.a_task(user)
    url = str(live.client.base_url)
    query = "subscription { taskChanged { __typename ... on TaskChanged { task { id owner { id } } changes } } }"
    async with connected(url) as theirs, connected(url) as own:
        await theirs.init({"token": await live.token(heir)})
        await theirs.subscribe("1", query)
        await own.init({"token": await live.token(user)})
        await own.subscribe("1", query)
        await theirs.connection.ping()
        await asyncio.sleep(0.3)
        await delete(live, user, admin, transferTasksTo=encode_id("User", heir.id))
        code, _ = await own.closed()
        assert code == 4403
        text = str(await theirs.receive())
    assert encode_id("Task", task.id) in text
    assert encode_id("User", heir.id) in text


async def test_sockets_and_streams_end_in_all_processes(new_database: Callable[[], str], new_redis: Callable[[], str]):
    """Two servers share the databases: the deletion at one closes the connections at the other."""
    database, redis = new_database(), new_redis()
    async with an_api(database, redis) as first, an_api(database, redis) as second:
        admin, user = await first.a_user(Role.ADMIN), await person(first)
        _, personal = await first.build.an_access_token(user, Scope.TASKS_READ)
        async with serving(second.server.asgi()) as url, connected(url) as one, connected(url) as other:
            await one.init({"token": await first.token(user)})
            await other.init({"token": personal})
            for socket in (one, other):
                await socket.subscribe("1", CHANGES)
            assert (await second.ask(ME, personal)).data["me"]["username"] == user.username
            await delete(first, user, admin)
            codes = [(await socket.closed())[0] for socket in (one, other)]
            assert codes == [4403, 4403]
            assert (await second.ask(ME, personal)).codes == ["UNAUTHENTICATED"]


@pytest.mark.parametrize("role", [Role.USER, Role.MODERATOR])
async def test_only_admins_delete_others(api: Api, role: Role):
    """The refusal says whom to ask."""
    user = await api.a_user()
    answer = await api.ask(DELETE, await api.a_user(role), input={"userId": encode_id("User", user.id)})
    refusal = answer.refusal("deleteUser")
    assert refusal["code"] == "FORBIDDEN"
    assert "ask an admin" in refusal["message"]
