"""Scope × root field × entry point, generated from one table: a token without the scope is refused, one with it is not.

The entry points are HTTP with both executors, WebSocket, event stream, REST and the task socket.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.access_token import IN_PROJECT, Scope, missing_scope
from domain.project import ProjectCreation, ProjectRole
from domain.task import TaskStatus
from domain.user import Role
from graphql_api.root import schema
from graphql_api.schema.ids import encode_id
from persistence.models import ProjectRow, UserRow
from rest_api.endpoints import OPERATIONS
from rest_api.operation import RestOperation
from services.project import create_project
from services.task import update_task_status
from tests.graphql_api.scope_matrix import NEEDED, NONE, READERS, REST_NEEDED, root_fields
from tests.graphql_api.stream_client import signed_in
from tests.graphql_api.test_sse import COMPLETE, asked
from tests.probes.entry_points import EntryPoint
from tests.probes.operation import Document, RestRequest
from tests.probes.servers import Servers, running
from tests.probes.things import Person, Standing
from tests.rest_api.task_listening import open_socket

DOCUMENTS = root_fields()
STREAMS = [name for name in DOCUMENTS if name.startswith("Subscription.")]
OTHERS = [name for name in DOCUMENTS if name not in STREAMS]


@dataclass(frozen=True)
class World:
    """The servers, an admin, and a person for each scope: the admin with a token of that scope alone.

    `limited` has the tokens for one project, with the scopes that these may have.
    """

    servers: Servers
    admin: UserRow
    people: dict[Scope, Person]
    limited: dict[Scope, Person]
    project: ProjectRow

    @property
    def tokens(self) -> list[tuple[Scope, Person]]:
        """The scope of each token, and who sends it."""
        return [*self.people.items(), *self.limited.items()]

    async def a_session(self) -> Person:
        """The admin, signed in with the password: the positive control."""
        session = await self.servers.api.build.a_session(self.admin)
        issued = self.servers.api.server.tokens.issue(self.admin.id, session.id, datetime.now(UTC))
        return self.person(issued.token, session.id)

    def person(self, token: str, grant_id: UUID) -> Person:
        return Person(self.admin.id, self.admin.username, self.admin.role, Standing.NONE, token, grant_id)


@pytest.fixture(scope="module")
async def world(new_database: Callable[[], str], new_redis: Callable[[], str]) -> AsyncIterator[World]:
    """Servers with both executors."""
    async with running(new_database(), new_redis()) as servers:
        admin = await servers.api.build.a_user(Role.ADMIN)
        project = await servers.api.build.a_project((admin, ProjectRole.MANAGER))
        world = World(servers, admin, {}, {}, project)
        for scope in Scope:
            row, text = await servers.api.build.an_access_token(admin, scope)
            world.people[scope] = world.person(text, row.id)
        for scope in IN_PROJECT:
            row, text = await servers.api.build.an_access_token(admin, scope, project_id=project.id)
            world.limited[scope] = world.person(text, row.id)
        yield world


def refused_scopes(body: dict[str, Any]) -> list[str]:
    """The messages about missing scopes in a response."""
    errors = [each for each in body.get("errors", ()) if each.get("extensions", {}).get("code") == "FORBIDDEN"]
    return [each["message"] for each in errors]


async def ask(entry_point: EntryPoint, name: str, person: Person) -> dict[str, Any]:
    """The response to the document of a root field."""
    reply = await entry_point.send(Document(DOCUMENTS[name], {}), person)
    assert reply.body is not None
    return reply.body


class TestTable:
    def test_every_root_field_and_every_operation_is_here(self):
        """A new one needs its scope, in both tables."""
        assert set(NEEDED) == set(DOCUMENTS)
        assert set(REST_NEEDED) == {operation.name for operation in OPERATIONS}

    def test_the_schema_shows_the_scope(self):
        """Next to the access rule; no scope: every token; `@session`: no token."""
        for name, needed in NEEDED.items():
            shown = _directives(name)
            assert len(shown) == 1
            [(rule, scope)] = shown.items()
            if needed is None:
                assert rule == "public"
            elif not needed:
                assert (rule, scope) == ("session", None)
            else:
                assert rule in {"signedIn", "admin"}
                assert scope == (None if needed == frozenset(Scope) else _least(needed))


def _least(needed: frozenset[Scope]) -> Scope:
    """The scope that all the others include."""
    return Scope.TASKS_READ if needed == READERS else next(iter(needed))


def _directives(name: str) -> dict[str, Any]:
    root, _, field = name.partition(".")
    definition: Any = schema.schema_converter.type_map[root].definition
    [found] = [each for each in definition.fields if schema.config.name_converter.get_graphql_name(each) == field]
    kinds = {"PublicDirective": "public", "SignedInDirective": "signedIn"}
    kinds |= {"SessionDirective": "session", "AdminDirective": "admin"}
    return {
        kinds[type(each).__name__]: getattr(each, "scope", None) or None
        for each in found.directives
        if type(each).__name__ in kinds
    }


class TestGraphQL:
    @pytest.mark.parametrize("name", OTHERS)
    async def test_each_scope_permits_its_fields_and_no_others(self, world: World, name: str):
        """Through each entry point. The refusal names the scope, and nothing is executed."""
        needed = NEEDED[name]
        for entry_point in world.servers.graphql:
            for scope, person in world.tokens:
                body = await ask(entry_point, name, person)
                where = (entry_point.name, scope, body)
                if needed is None or scope in needed:
                    assert refused_scopes(body) == [], where
                else:
                    assert refused_scopes(body) == [missing_scope(_shown(needed))], where
                    assert not any((body.get("data") or {}).values()), where

    @pytest.mark.parametrize("name", OTHERS)
    async def test_a_session_needs_no_scope(self, world: World, name: str):
        """The positive control: the same documents are never refused for a scope. The first entry points are HTTP."""
        ends_its_connection = name in {"Mutation.logout", "Mutation.logoutAll"}
        for entry_point in world.servers.graphql[: 2 if ends_its_connection else None]:
            body = await ask(entry_point, name, await world.a_session())
            assert refused_scopes(body) == [], (entry_point.name, body)

    @pytest.mark.parametrize("scope", Scope)
    @pytest.mark.parametrize("name", STREAMS)
    async def test_subscriptions(self, world: World, name: str, scope: Scope):
        """Over WebSocket and as an event stream."""
        api, token = world.servers.api, world.people[scope].token
        project = await api.build.a_project((world.admin, ProjectRole.VIEWER))
        needed, document = NEEDED[name], DOCUMENTS[name].replace('"x"', f'"{encode_id("Project", project.id)}"')
        assert needed is not None
        if scope in needed:
            async with signed_in(api, token) as listener:
                await listener.listen(document)
            async with asked(api, document, token):
                return
        async with signed_in(api, token) as listener:
            message = await listener.asked(document)
            assert message["type"] == "error"
            assert refused_scopes({"errors": message["payload"]}) == [missing_scope(_shown(needed))]
        async with asked(api, document, token, listens=False) as stream:
            result, end = await stream.rest()
            assert (result.codes, end) == (["FORBIDDEN"], COMPLETE)


def _shown(needed: frozenset[Scope]) -> frozenset[Scope]:
    return frozenset({_least(needed)}) if needed else NONE


class TestRest:
    @pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
    async def test_each_scope_permits_its_operations_and_no_others(self, world: World, operation: RestOperation):
        """A refusal has the challenge of RFC 6750."""
        needed = REST_NEEDED[operation.name]
        for scope, person in (*world.tokens, (None, await world.a_session())):
            path = operation.path.replace("{task_id}", str(uuid4()))
            body: dict[str, Any] | None = {} if operation.body is not None else None
            reply = await world.servers.rest.send(RestRequest(operation.methods[0], path, body), person)
            if scope is None or needed is None or scope in needed:
                assert reply.status != 403, (scope, reply)
                continue
            assert reply.status == 403
            assert missing_scope(_shown(needed)).encode() in reply.rest_body
            head = reply.raw.partition(b"\r\n\r\n")[0].lower()
            assert b'www-authenticate: bearer error="insufficient_scope"' in head
            if needed:
                assert f'scope="{_least(needed).value}"'.encode() in head

    @pytest.mark.parametrize("scope", Scope)
    async def test_the_task_socket(self, world: World, scope: Scope):
        """With the scope it sends its cursor; without it, it says what is missing, and closes for good."""
        async with open_socket(world.servers.url, world.people[scope].token) as listener:
            if scope in READERS:
                assert await listener.cursor()
                return
            frame = await listener.receive()
            assert frame["type"] == "error"
            assert "tasks:read" in str(frame)
            assert (await listener.closed())[0] == 4401


class TestOneProject:
    """A token for one project shows nothing else at any entry point, although its user is an admin."""

    async def test_tasks_of_its_project(self, world: World):
        """GraphQL and REST: the lists, and a task by its id."""
        build = world.servers.api.build
        here = await build.a_task(world.admin, project_id=world.project.id, title="Here")
        other = await build.a_project((world.admin, ProjectRole.MANAGER))
        hidden = [
            await build.a_task(world.admin, project_id=other.id, title="Hidden"),
            await build.a_task(world.admin, title="Hidden"),
            await build.a_task(title="Hidden"),
        ]
        document = """query ($ids: [ID!]!) { tasks(first: 50) { nodes { title } } nodes(ids: $ids) { id }
          projects(first: 50) { nodes { key } } }"""
        ids = [encode_id("Task", each.id) for each in (*hidden, here)]
        for scope, person in world.limited.items():
            for entry_point in world.servers.graphql:
                reply = await entry_point.send(Document(document, {"ids": ids}), person)
                assert reply.body is not None
                assert reply.body["data"] == {
                    "tasks": {"nodes": [{"title": "Here"}]},
                    "nodes": [None, None, None, {"id": ids[-1]}],
                    "projects": {"nodes": [{"key": world.project.key}]},
                }, (entry_point.name, scope)
            listed = await world.servers.rest.send(RestRequest("GET", "/tasks/", None), person)
            assert b"Here" in listed.rest_body
            assert b"Hidden" not in listed.rest_body
            for each in hidden:
                reply = await world.servers.rest.send(RestRequest("GET", f"/tasks/{each.id}", None), person)
                assert reply.status == 404

    async def test_the_task_socket(self, world: World):
        """It has the changes of the project, if they are about a task of the user."""
        api = world.servers.api
        admin = api.build.as_(api.build.actor(world.admin))
        # A project that is only stored would be unknown to a stream that has read the memberships of the user before.
        project = await create_project(admin, creation=ProjectCreation.EVERYONE, key="SOCK", name="Of the socket")
        _, token = await api.build.an_access_token(world.admin, Scope.TASKS_READ, project_id=project.id)
        hidden = await api.build.a_task(world.admin)
        here = await api.build.a_task(world.admin, project_id=project.id)
        async with open_socket(world.servers.url, token) as listener:
            await listener.cursor()
            for task in (hidden, here):
                uow = api.build.as_(api.build.actor(world.admin))
                await update_task_status(uow, task_id=task.id, status=TaskStatus.DONE)
            frame = await listener.receive()
            assert str(here.id) in str(frame)
            assert str(hidden.id) not in str(frame)


class TestOtherNouns:
    """What a token may not read stays hidden behind fields of other objects."""

    async def test_the_email_needs_the_account(self, world: World):
        """Of the own user, as the owner of a task, and as a member of a project."""
        build = world.servers.api.build
        user = await build.a_user()
        task = await build.a_task(user)
        document = """query ($id: ID!) { me { username email } task(id: $id) { owner { email } } }"""
        for scopes, email in (
            ((Scope.TASKS_READ,), None),
            ((Scope.TASKS_READ, Scope.ADMIN), None),
            ((Scope.TASKS_READ, Scope.ACCOUNT), user.email),
        ):
            _, text = await build.an_access_token(user, *scopes)
            person = Person(user.id, user.username, user.role, Standing.NONE, text, uuid4())
            for entry_point in world.servers.graphql:
                reply = await entry_point.send(Document(document, {"id": encode_id("Task", task.id)}), person)
                assert reply.body is not None
                assert reply.body["data"] == (
                    {"me": {"username": user.username, "email": email}, "task": {"owner": {"email": email}}}
                ), (entry_point.name, scopes)

    async def test_node_shows_only_what_the_scopes_permit(self, world: World):
        """Tasks and projects need `tasks:read`, sessions `account`; no token shows tokens."""
        api = world.servers.api
        build = api.build
        project = await build.a_project((world.admin, ProjectRole.MANAGER))
        task = await build.a_task(world.admin)
        session = await build.a_session(world.admin)
        token, _ = await build.an_access_token(world.admin)
        ids = {
            "Task": task.id,
            "Project": project.id,
            "Session": session.id,
            "AccessToken": token.id,
            "User": world.admin.id,
        }
        document = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename } }"
        variables = {"ids": [encode_id(kind, row_id) for kind, row_id in ids.items()]}
        for scope, person in (*world.people.items(), (None, await world.a_session())):
            readable = {"User"} | ({"Task", "Project"} if scope is None or scope in READERS else set())
            readable |= {"Session"} if scope in (None, Scope.ACCOUNT) else set()
            readable |= {"AccessToken"} if scope is None else set()
            for entry_point in world.servers.graphql:
                reply = await entry_point.send(Document(document, variables), person)
                assert reply.body is not None
                found = [each and each["__typename"] for each in reply.body["data"]["nodes"]]
                assert found == [kind if kind in readable else None for kind in ids], (entry_point.name, scope)

    async def test_the_rights_of_an_admin_need_the_scope(self, world: World):
        """A token of an admin without it reads, and may change, what a user may."""
        build = world.servers.api.build
        task = await build.a_task()
        document = "query ($id: ID!) { task(id: $id) { title viewerCanUpdate viewerCanDelete } }"
        cases: tuple[tuple[tuple[Scope, ...], dict[str, Any] | None], ...] = (
            ((Scope.TASKS_READ, Scope.TASKS_WRITE), None),
            ((Scope.TASKS_READ, Scope.ADMIN), {"viewerCanUpdate": False, "viewerCanDelete": False}),
            ((Scope.TASKS_WRITE, Scope.ADMIN), {"viewerCanUpdate": True, "viewerCanDelete": True}),
        )
        for scopes, expected in cases:
            _, text = await build.an_access_token(world.admin, *scopes)
            person = world.person(text, uuid4())
            for entry_point in world.servers.graphql:
                reply = await entry_point.send(Document(document, {"id": encode_id("Task", task.id)}), person)
                assert reply.body is not None
                assert reply.body["data"]["task"] == (expected and {"title": task.title, **expected})
