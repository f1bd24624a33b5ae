"""`/ws/tasks/…` over a real network, beside GraphQL and REST."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from websockets.exceptions import InvalidStatus

from asgi.streaming_session import SessionConfig, StreamTiming
from domain.actor import Actor
from domain.stream_cursor import StreamCursor
from domain.task import TaskStatus
from domain.user import Role
from graphql_api.auth.tokens import AccessTokens
from graphql_api.schema.ids import encode_id
from rest_api.websocket import TaskSocket
from streaming.task_cache import TaskSnapshot
from tests.rest_api.support import TASK_FIELDS, Rest
from tests.rest_api.task_listening import listening, move, open_socket
from tests.support.api import Api
from tests.support.serving import serving
from tests.support.waiting import HANG_SECONDS
from tests.support.websocket_client import connected


class TestSigningIn:
    async def test_sign_in_by_header_or_first_message(self, url: str, api: Api):
        """With and without the slash, the first frame is a cursor."""
        token = await api.token(await api.a_user())
        async with open_socket(url, token) as listener:
            assert await listener.cursor()
        async with open_socket(url, path=f"/ws/tasks/{uuid4()}/") as listener:
            await listener.say(type="auth", token=token)
            assert await listener.cursor()

    async def test_garbage_is_4401_and_no_token_in_the_address_counts(self, url: str, api: Api):
        """A token that is none is fatal, by header and by message; one in the query string is not looked at."""
        async with open_socket(url, "garbage") as listener:
            assert await listener.closed() == (4401, "Unauthorized: this is not an access token of this server")
        async with open_socket(url) as listener:
            await listener.say(type="auth", token="garbage")
            assert await listener.closed() == (4401, "Unauthorized: this is not an access token of this server")
        token = await api.token(await api.a_user())
        async with open_socket(url, path=f"/ws/tasks/{uuid4()}?token={token}&access_token={token}") as listener:
            await listener.say(type="hello")
            assert (await listener.receive())["code"] == "UNAUTHENTICATED"
            assert (await listener.closed())[0] == 4401

    async def test_an_expired_token_is_4403(self, url: str, api: Api):
        """What merely grew old lets the client come back with a fresh one."""
        user = await api.a_user()
        session = await api.build.a_session(user)
        issued = api.server.tokens.issue(user.id, session.id, datetime.now(UTC) - timedelta(hours=2))
        async with open_socket(url, issued.token) as listener:
            assert (await listener.closed())[0] == 4403

    async def test_foreign_pages_and_strange_addresses_get_no_socket(self, url: str, api: Api):
        """Another site's page, and a client_id that is no uuid, are refused with 403 before there is a socket."""
        token = await api.token(await api.a_user())
        for options in ({"origin": "https://evil.example"}, {"path": "/ws/tasks/42"}):
            with pytest.raises(InvalidStatus) as refused:
                async with open_socket(url, token, **options):
                    pass
            assert refused.value.response.status_code == 403


class TestFrames:
    async def test_a_frame_has_the_task_and_both_statuses(self, url: str, rest: Rest):
        """With type, task, from, to, cursor and at."""
        api = rest.api
        owner = await api.a_user()
        task = await api.build.a_task(owner)
        async with listening(url, api, owner) as listener:
            await move(rest, task, owner)
            frame = await listener.receive()
        stored = await api.build.task(task.id)
        assert stored is not None
        assert set(frame) == {"type", "task", "from", "to", "cursor", "at"}
        assert (frame["type"], frame["from"], frame["to"]) == ("task.status_changed", "TODO", "DONE")
        assert list(frame["task"])[: len(TASK_FIELDS)] == TASK_FIELDS
        assert (frame["task"]["uuid"], frame["task"]["completed"]) == (str(task.id), True)
        assert frame["at"].endswith("Z")
        assert datetime.fromisoformat(frame["at"]) == stored.updated_at

    async def test_only_moves_of_visible_tasks_are_delivered(self, url: str, rest: Rest):
        """Other changes and hidden tasks are not; a moderator receives those of all users."""
        api = rest.api
        owner, outsider, moderator = await api.a_user(), await api.a_user(), await api.a_user(Role.MODERATOR)
        task, own = await api.build.a_task(owner), await api.build.a_task(outsider)
        async with listening(url, api, outsider) as outside, listening(url, api, moderator) as above:
            await rest.send("PUT", f"/tasks/{task.id}", owner, json={"title": "Other"})
            await move(rest, task, owner)
            await move(rest, own, outsider)
            assert (await outside.receive())["task"]["uuid"] == str(own.id)
            received = [frame["task"]["uuid"] for frame in (await above.receive(), await above.receive())]
            assert received == [str(task.id), str(own.id)]

    async def test_an_old_snapshot_is_read_again(self, url: str, rest: Rest, monkeypatch: pytest.MonkeyPatch):
        """After a pause between the read and the delivery, the visibility may have changed."""
        current, owner = rest.api.server.stream.task_cache, await rest.api.a_user()
        task, visible_to, times = await rest.api.build.a_task(owner), current.visible_to, list[float]()

        async def old_at_first(actor: Actor, task_id: UUID, ahead: Callable[[], Iterable[UUID]]) -> TaskSnapshot:
            reading = await visible_to(actor, task_id, ahead)
            times.append(reading.at)
            return reading if len(times) > 1 else replace(reading, task=None, at=reading.at - 2)

        monkeypatch.setattr(current, "visible_to", old_at_first)
        async with listening(url, rest.api, owner) as listener:
            await move(rest, task, owner)
            frame = await listener.receive()

        assert (frame["type"], len(times)) == ("task.status_changed", 2)

    async def test_gone_and_deleted_tasks(self, url: str, rest: Rest):
        """Both frames have only the task's uuid."""
        api = rest.api
        owner, helper = await api.a_user(), await api.a_user()
        task = await api.build.a_task(owner, assignee_id=helper.id)
        assign = "mutation ($input: AssignTaskInput!) { assignTask(input: $input) { userErrors { code } } }"
        async with listening(url, api, helper) as outside, listening(url, api, owner) as inside:
            await api.ask(assign, owner, input={"id": encode_id("Task", task.id), "assigneeId": None})
            gone = await outside.receive()
            await rest.send("DELETE", f"/tasks/{task.id}", owner)
            deleted = await inside.receive()
        assert set(gone) == set(deleted) == {"type", "task_uuid", "cursor", "at"}
        assert (gone["type"], deleted["type"]) == ("task.gone", "task.deleted")
        assert gone["task_uuid"] == deleted["task_uuid"] == str(task.id)

    async def test_a_cursor_resumes_without_gaps(self, url: str, rest: Rest):
        """Missed items and then live ones."""
        api = rest.api
        owner = await api.a_user()
        tasks = [await api.build.a_task(owner) for _ in range(4)]
        async with open_socket(url, await api.token(owner)) as listener:
            cursor = await listener.cursor()
        for task in tasks[:3]:
            await move(rest, task, owner)
        async with listening(url, api, owner, after=cursor) as listener:
            first = await listener.receive()
            await move(rest, tasks[3], owner)
            rest_of_it = [await listener.receive() for _ in range(3)]
        assert [each["task"]["uuid"] for each in (first, *rest_of_it)] == [str(task.id) for task in tasks]
        async with listening(url, api, owner, after=rest_of_it[1]["cursor"]) as listener:
            assert (await listener.receive())["task"]["uuid"] == str(tasks[3].id)

    async def test_a_cursor_that_cannot_be_continued_says_so(self, url: str, api: Api):
        """Another history's cursor gets a resync frame with its reason and a cursor to go on from."""
        user = await api.a_user()
        stale = StreamCursor("another", 1, user.access_version).encode()
        async with listening(url, api, user, after=stale) as listener:
            frame = await listener.receive()
        assert set(frame) == {"type", "reason", "cursor", "at"}
        assert (frame["type"], frame["reason"]) == ("resync_required", "EPOCH")

    async def test_an_invalid_cursor_closes_the_socket(self, url: str, api: Api):
        """4400, so that clients do not retry."""
        async with open_socket(url, await api.token(await api.a_user()), after="x") as listener:
            assert (await listener.receive())["code"] == "BAD_REQUEST"
            assert (await listener.closed())[0] == 4400

    async def test_messages_of_clients_are_errors(self, url: str, api: Api):
        """Text gets an error; a binary frame closes the socket with 1003."""
        user = await api.a_user()
        async with listening(url, api, user) as one, listening(url, api, user) as other:
            await one.connection.send("hello all")
            assert (await one.receive())["type"] == "error"
            await one.connection.send(b"\x00")
            assert await one.closed() == (1003, "Messages are text, not binary")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await other.connection.recv()


class TestHandshake:
    async def test_changes_reach_subscribers_of_both_apis(self, url: str, rest: Rest):
        """With the same content."""
        api = rest.api
        owner = await api.a_user()
        task = await api.build.a_task(owner)
        token = await api.token(owner)
        query = """subscription { taskStatusChanged { ... on TaskStatusChanged { from to task { version } } } }"""
        update = """mutation ($input: UpdateTaskStatusInput!) { updateTaskStatus(input: $input) {
          userErrors { code } } }"""
        async with connected(url) as socket, listening(url, api, owner) as listener:
            await socket.init({"authorization": f"Bearer {token}"})
            await socket.subscribe("1", query)
            async with asyncio.timeout(HANG_SECONDS):
                while api.server.stream.subscribers < 2:
                    await asyncio.sleep(0.01)
            await move(rest, task, owner)
            graphql = (await socket.receive())["payload"]["data"]["taskStatusChanged"]
            legacy = await listener.receive()
            assert graphql == {"from": "TODO", "to": "DONE", "task": {"version": 2}}
            assert (legacy["from"], legacy["to"], legacy["task"]["version"]) == ("TODO", "DONE", 2)

            await api.ask(update, owner, input={"id": encode_id("Task", task.id), "status": "IN_PROGRESS"})
            legacy = await listener.receive()
            assert (legacy["from"], legacy["to"], legacy["task"]["completed"]) == ("DONE", "IN_PROGRESS", False)

    async def test_several_fields_are_one_event(self, url: str, rest: Rest):
        """One PUT with title, description and status is one frame, with one version."""
        api = rest.api
        owner = await api.a_user()
        task = await api.build.a_task(owner)
        async with listening(url, api, owner) as listener:
            values = {"title": "One", "description": "change", "completed": True}
            await rest.send("PUT", f"/tasks/{task.id}", owner, json=values)
            frame = await listener.receive()
        assert (frame["task"]["title"], frame["task"]["version"]) == ("One", 2)
        assert len(await api.build.recorded_events(of=task.id)) == 1


class TestEndings:
    async def test_signing_out_closes_it_within_a_second(self, url: str, rest: Rest):
        """4403 for the session that ended, over REST, too; sockets of other sessions go on."""
        visitor = await rest.a_visitor()
        elsewhere = (await rest.login(visitor.name)).json()["access_token"]
        async with open_socket(url, visitor.token) as listener, open_socket(url, elsewhere) as other:
            await listener.cursor()
            await other.cursor()
            async with asyncio.timeout(HANG_SECONDS):
                await rest.send("POST", "/auth/logout/", visitor, cookie=visitor.cookie)
                assert (await listener.closed())[0] == 4403
            await other.say(type="ping")
            assert (await other.receive())["type"] == "error"

    async def test_a_new_role_closes_the_socket(self, url: str, rest: Rest):
        """The client can reconnect with its cursor, which is then stale."""
        api = rest.api
        user, admin = await api.a_user(), await api.a_user(Role.ADMIN)
        token = await api.token(user)
        role = "mutation ($input: SetUserRoleInput!) { setUserRole(input: $input) { userErrors { code } } }"
        async with open_socket(url, token) as listener:
            cursor = await listener.cursor()
            await api.ask(role, admin, input={"userId": encode_id("User", user.id), "role": "MODERATOR"})
            assert (await listener.closed())[0] == 4403
        async with asyncio.timeout(HANG_SECONDS), open_socket(url, token, after=cursor) as listener:
            await listener.cursor()
            assert (await listener.receive())["reason"] == "ACCESS"

    async def test_its_token_s_end_is_its_own(self, url: str, api: Api):
        """A socket does not outlive the token that opened it."""
        user = await api.a_user()
        session = await api.build.a_session(user)
        settings = api.server.settings
        brief = AccessTokens(settings.key_ring, settings.token_issuer, settings.token_audience, timedelta(seconds=2))
        issued = brief.issue(user.id, session.id, datetime.now(UTC))
        async with open_socket(url, issued.token) as listener:
            await listener.cursor()
            assert await listener.closed() == (4403, "Token has expired")


@asynccontextmanager
async def timed(api: Api, timing: StreamTiming) -> AsyncIterator[str]:
    """The address of the socket with other waiting times."""
    server = api.server
    config = SessionConfig(server.connections, server.access.authenticate, timing)
    socket = TaskSocket(server.backend, config, lambda *_, **__: True)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["path_params"] = {"client_id": scope["path"].rpartition("/")[2]}
        await socket(scope, receive, send)

    async with serving(app) as address:
        yield address


@pytest.fixture
async def impatient(api: Api) -> AsyncIterator[str]:
    """The socket where cursors come soon."""
    async with timed(api, StreamTiming(first_message=HANG_SECONDS, ping=0.1, send=HANG_SECONDS)) as address:
        yield address


class TestClocks:
    async def test_a_silent_client_is_closed(self, api: Api):
        """4408 after the time for the sign-in."""
        async with timed(api, StreamTiming(first_message=0.1)) as url, open_socket(url) as listener:
            assert await listener.closed() == (4408, 'No sign-in in time. Send {"type": "auth", "token": "…"} first.')

    async def test_an_idle_client_receives_cursors(self, impatient: str, rest: Rest):
        """They advance with events that are not delivered here."""
        api = rest.api
        user, other = await api.a_user(), await api.a_user()
        async with listening(impatient, api, user) as listener:
            first = await listener.cursor()
            await move(rest, await api.build.a_task(other), other)
            async with asyncio.timeout(HANG_SECONDS):
                while (later := await listener.cursor()) == first:
                    pass
        assert StreamCursor.decode(later).position > StreamCursor.decode(first).position

    async def test_too_many_sockets_are_sent_away_for_now(self, impatient: str, api: Api, monkeypatch: Any):
        """1013 beyond the limit of one user: come back later."""
        monkeypatch.setattr(api.server.connections, "_per_user", 1)
        user = await api.a_user()
        async with listening(impatient, api, user), open_socket(impatient, await api.token(user)) as second:
            assert (await second.closed())[0] == 1013

    async def test_shutdown_closes_every_socket(self, impatient: str, api: Api, monkeypatch: Any):
        """1012 for open sockets and for new ones."""
        monkeypatch.setattr(api.server.connections, "_draining", False)
        user = await api.a_user()
        async with listening(impatient, api, user) as listener:
            await api.server.connections.drain(0)
            assert await listener.closed() == (1012, "Service restart")
        async with open_socket(impatient, await api.token(user)) as late:
            assert (await late.closed())[0] == 1012

    async def test_a_newer_status_is_delivered(self, impatient: str, api: Api):
        """A status that the older API does not have has its name in the frame."""
        owner = await api.a_user()
        task = await api.build.a_task(owner)
        update = """mutation ($input: UpdateTaskStatusInput!) { updateTaskStatus(input: $input) {
          userErrors { code } } }"""
        async with listening(impatient, api, owner) as listener:
            await api.ask(update, owner, input={"id": encode_id("Task", task.id), "status": "CANCELLED"})
            async with asyncio.timeout(HANG_SECONDS):
                while (frame := await listener.receive())["type"] == "cursor":
                    pass
        assert frame["to"] == TaskStatus.CANCELLED
