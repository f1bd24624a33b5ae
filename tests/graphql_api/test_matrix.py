"""Role, relation, action and entry point, generated from the policy table: each entry point follows the table. A
refusal also changes nothing and delivers no event.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any

import httpx
import pytest
import websockets

from domain.events import RecordedEvent
from domain.policy import POLICY, Action, Reach
from domain.user import Role
from graphql_api.schema.ids import encode_id
from persistence.models import TaskRow, UserRow
from tests.support.api import Api
from tests.support.serving import serving
from tests.support.waiting import HANG_SECONDS
from tests.support.websocket_client import Socket, connected

RELATIONS = {"own": Reach.OWN, "assigned": Reach.ASSIGNED, "other": None}
ENTRY_POINTS = ("http", "socket")

OPERATIONS: dict[Action, tuple[str, str, dict[str, Any]]] = {
    Action.UPDATE_TASK: ("updateTask", "UpdateTaskInput", {"title": "Changed"}),
    Action.CHANGE_STATUS: ("updateTaskStatus", "UpdateTaskStatusInput", {"status": "IN_PROGRESS"}),
    Action.ASSIGN_TASK: ("assignTask", "AssignTaskInput", {"assigneeId": None}),
    Action.DELETE_TASK: ("deleteTask", "DeleteTaskInput", {}),
}
ADMIN_OPERATIONS: dict[Action, tuple[str, str, dict[str, Any]]] = {
    Action.SET_ROLE: ("setUserRole", "SetUserRoleInput", {"role": "MODERATOR"}),
    Action.SET_ACTIVE: ("setUserActive", "SetUserActiveInput", {"isActive": False}),
}
REST_OPERATIONS: dict[Action, tuple[str, dict[str, Any] | None]] = {
    Action.UPDATE_TASK: ("PUT", {"title": "Changed"}),
    Action.CHANGE_STATUS: ("PATCH", {"completed": True}),
    Action.DELETE_TASK: ("DELETE", None),
}


@dataclass
class EntryPoints:
    """One operation, through either API."""

    api: Api
    url: str
    stack: AsyncExitStack

    async def ask(self, entry_point: str, by: UserRow | None, query: str, **variables: Any) -> dict[str, Any]:
        """The GraphQL response as it came."""
        if entry_point == "http":
            return (await self.api.ask(query, by, **variables)).body
        async with connected(self.url) as socket:
            token = await self.api.token(by) if by is not None else None
            await socket.init({"authorization": f"Bearer {token}"} if token is not None else None)
            return await _one(socket, query, variables)

    async def rest(self, method: str, path: str, by: UserRow, body: dict[str, Any] | None = None) -> httpx.Response:
        """The response of the REST API."""
        headers = {"authorization": f"Bearer {await self.api.token(by)}"}
        return await self.api.client.request(method, f"/api/v1{path}", headers=headers, json=body)


async def _one(socket: Socket, query: str, variables: dict[str, Any]) -> dict[str, Any]:
    await socket.subscribe("1", query, **variables)
    message = await socket.receive()
    assert message["type"] == "next", message
    payload: dict[str, Any] = message["payload"]
    return payload


@pytest.fixture(scope="module")
async def entry_points(api: Api) -> AsyncIterator[EntryPoints]:
    """Both APIs of one server."""
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(api.server.asgi()))
        yield EntryPoints(api, url, stack)


def allowed(role: Role, action: Action, relation: str) -> bool:
    """What the policy table allows."""
    reaches = POLICY[role].get(action, frozenset())
    return Reach.ANY in reaches or RELATIONS[relation] in reaches


@asynccontextmanager
async def unchanged(api: Api, task: TaskRow) -> AsyncIterator[None]:
    """Nothing that happens in here changes the task or records an event about it."""
    before = await _state(api, task)
    yield
    assert await _state(api, task) == before


async def _state(api: Api, task: TaskRow) -> tuple[dict[str, Any], list[RecordedEvent]]:
    stored = await api.build.task(task.id)
    assert stored is not None
    values = {column.key: getattr(stored, column.key) for column in TaskRow.__table__.columns}
    return values, await api.build.recorded_events(of=task.id)


async def cast_of(api: Api, role: Role, relation: str) -> tuple[UserRow, TaskRow]:
    """A user of this role, and a task with this relation to it."""
    actor = await api.a_user(role)
    if relation == "own":
        return actor, await api.build.a_task(actor)
    return actor, await api.build.a_task(assignee_id=actor.id if relation == "assigned" else None)


@pytest.mark.parametrize(
    ("role", "relation", "action", "entry_point"), list(product(Role, RELATIONS, OPERATIONS, ENTRY_POINTS))
)
async def test_tasks_change_as_the_table_says(
    entry_points: EntryPoints, role: Role, relation: str, action: Action, entry_point: str
):
    """A mutation of a task succeeds exactly where the policy has the cell; else FORBIDDEN, or NOT_FOUND unseen."""
    api = entry_points.api
    actor, task = await cast_of(api, role, relation)
    name, kind, values = OPERATIONS[action]
    query = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ userErrors {{ code }} }} }}"
    variables = {"input": {"id": encode_id("Task", task.id)} | values}

    if allowed(role, action, relation):
        body = await entry_points.ask(entry_point, actor, query, **variables)
        assert body["data"][name]["userErrors"] == []
    else:
        async with unchanged(api, task):
            body = await entry_points.ask(entry_point, actor, query, **variables)
        code = "FORBIDDEN" if allowed(role, Action.READ_TASK, relation) else "NOT_FOUND"
        assert body["data"][name]["userErrors"] == [{"code": code}]


@pytest.mark.parametrize(("role", "relation", "entry_point"), list(product(Role, RELATIONS, ENTRY_POINTS)))
async def test_visibility_of_tasks_follows_the_table(
    entry_points: EntryPoints, role: Role, relation: str, entry_point: str
):
    """By id, as a node, in lists and in counts."""
    actor, task = await cast_of(entry_points.api, role, relation)
    identity = encode_id("Task", task.id)
    query = """query ($id: ID!, $owner: ID!) { task(id: $id) { id } node(id: $id) { id } nodes(ids: [$id]) { id }
      tasks(filter: {ownerId: $owner}) { totalCount nodes { id } } }"""

    body = await entry_points.ask(entry_point, actor, query, id=identity, owner=encode_id("User", task.owner_id))

    found = {"id": identity} if allowed(role, Action.READ_TASK, relation) else None
    assert body["data"] == {
        "task": found,
        "node": found,
        "nodes": [found],
        "tasks": {"totalCount": int(found is not None), "nodes": [found] if found else []},
    }


@pytest.mark.parametrize(("role", "action", "entry_point"), list(product(Role, ADMIN_OPERATIONS, ENTRY_POINTS)))
async def test_changes_of_users_follow_the_table(
    entry_points: EntryPoints, role: Role, action: Action, entry_point: str
):
    """Only admins manage users: other requests are refused and change nothing."""
    api = entry_points.api
    actor, other = await api.a_user(role), await api.a_user()
    await api.a_user(Role.ADMIN)
    name, kind, values = ADMIN_OPERATIONS[action]
    query = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ userErrors {{ code }} }} }}"

    body = await entry_points.ask(entry_point, actor, query, input={"userId": encode_id("User", other.id)} | values)

    stored = await api.build.user(other.id)
    assert stored is not None
    if Reach.ANY in POLICY[role].get(action, frozenset()):
        assert body["data"][name]["userErrors"] == []
        assert stored.access_version == other.access_version + 1
    else:
        assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert (stored.role, stored.is_active, stored.access_version) == (other.role, True, other.access_version)


@pytest.mark.parametrize(("role", "entry_point"), list(product(Role, ENTRY_POINTS)))
async def test_lists_of_users_follow_the_table(entry_points: EntryPoints, role: Role, entry_point: str):
    """Only admins list users; e-mail addresses are visible to the user and to admins."""
    api = entry_points.api
    actor, other = await api.a_user(role), await api.a_user()
    query = "query ($id: ID!) { me { email } user(id: $id) { username email } users(first: 1) { nodes { id } } }"

    body = await entry_points.ask(entry_point, actor, query, id=encode_id("User", other.id))

    is_admin = Reach.ANY in POLICY[role].get(Action.LIST_USERS, frozenset())
    assert body["data"]["me"] == {"email": actor.email}
    assert body["data"]["user"] == {"username": other.username, "email": other.email if is_admin else None}
    assert (body["data"]["users"] is not None) is is_admin
    assert [error["extensions"]["code"] for error in body.get("errors", [])] == ([] if is_admin else ["FORBIDDEN"])


@pytest.mark.parametrize("entry_point", ENTRY_POINTS)
async def test_anonymous_requests_are_refused_by_non_public_fields(entry_points: EntryPoints, entry_point: str):
    """UNAUTHENTICATED, before arguments are checked."""
    operations = {
        "me": "{ me { id } }",
        "user": '{ user(id: "x") { id } }',
        "users": "{ users { nodes { id } } }",
        "assignableUsers": "{ assignableUsers { id } }",
        "task": '{ task(id: "x") { id } }',
        "tasks": "{ tasks { nodes { id } } }",
        "sessions": "{ sessions { id } }",
        "node": '{ node(id: "x") { id } }',
        "nodes": '{ nodes(ids: ["x"]) { id } }',
        "logout": "mutation { logout { userErrors { code } } }",
        "logoutAll": "mutation { logoutAll { userErrors { code } } }",
        "revokeSession": 'mutation { revokeSession(input: {sessionId: "x"}) { userErrors { code } } }',
        "createTask": 'mutation { createTask(input: {title: "x"}) { userErrors { code } } }',
        "changePassword": """mutation { changePassword(input: {currentPassword: "a", newPassword: "b"}) {
          userErrors { code } } }""",
    }
    for name, query in operations.items():
        body = await entry_points.ask(entry_point, None, query)
        assert [error["extensions"]["code"] for error in body["errors"]] == ["UNAUTHENTICATED"], name


@pytest.mark.parametrize(("role", "relation", "action"), list(product(Role, RELATIONS, REST_OPERATIONS)))
async def test_tasks_change_over_rest_as_the_table_says(
    entry_points: EntryPoints, role: Role, relation: str, action: Action
):
    """Over REST a task changes exactly where the policy has the cell; else 403, or 404 unseen, and nothing happened."""
    actor, task = await cast_of(entry_points.api, role, relation)
    method, body = REST_OPERATIONS[action]

    if allowed(role, action, relation):
        response = await entry_points.rest(method, f"/tasks/{task.id}", actor, body)
        assert response.status_code == (204 if method == "DELETE" else 200)
    else:
        async with unchanged(entry_points.api, task):
            response = await entry_points.rest(method, f"/tasks/{task.id}", actor, body)
        assert response.status_code == (403 if allowed(role, Action.READ_TASK, relation) else 404)


@pytest.mark.parametrize(("role", "relation"), list(product(Role, RELATIONS)))
async def test_rest_visibility_of_tasks_follows_the_table(entry_points: EntryPoints, role: Role, relation: str):
    """By id and in the list."""
    actor, task = await cast_of(entry_points.api, role, relation)
    seen = allowed(role, Action.READ_TASK, relation)

    one = await entry_points.rest("GET", f"/tasks/{task.id}", actor)
    total = (await entry_points.api.ask("{ tasks { totalCount } }", actor)).data["tasks"]["totalCount"]
    # Other tests' tasks may be older or younger: the whole list is read.
    pages = [await entry_points.rest("GET", f"/tasks/?limit=100&skip={skip}", actor) for skip in range(0, total, 100)]
    listed = [found["uuid"] for page in pages for found in page.json()]

    assert one.status_code == (200 if seen else 404)
    assert listed.count(str(task.id)) == seen


@pytest.mark.parametrize(("role", "relation"), list(product(Role, RELATIONS)))
async def test_deliveries_of_the_task_socket_follow_the_table(entry_points: EntryPoints, role: Role, relation: str):
    """A status change is delivered only to users who may see the task."""
    api = entry_points.api
    actor, task = await cast_of(api, role, relation)
    owner = await api.build.user(task.owner_id)
    assert owner is not None
    own = await api.build.a_task(actor)
    headers = {"authorization": f"Bearer {await api.token(actor)}"}
    address = f"{entry_points.url.replace('http', 'ws', 1)}/ws/tasks/{task.id}"
    async with websockets.connect(address, additional_headers=headers) as socket, asyncio.timeout(HANG_SECONDS):
        assert json.loads(await socket.recv())["type"] == "cursor"
        await entry_points.rest("PUT", f"/tasks/{task.id}", owner, {"completed": True})
        await entry_points.rest("PUT", f"/tasks/{own.id}", actor, {"completed": True})
        received: list[str] = []
        while str(own.id) not in received:
            # Moderators and admins also receive late events of the tests before.
            uuid = json.loads(await socket.recv())["task"]["uuid"]
            received += [uuid] if uuid in {str(task.id), str(own.id)} else []
    assert received == ([str(task.id)] if allowed(role, Action.READ_TASK, relation) else []) + [str(own.id)]
