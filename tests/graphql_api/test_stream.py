"""Subscriptions from end to end: real sockets, real servers, and what a client sees of it all."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any
from uuid import UUID

import httpx
import pytest

from domain.stream_cursor import StreamCursor
from domain.task import TaskStatus
from domain.user import Role
from graphql_api.auth.tokens import AccessTokens
from graphql_api.schema.ids import encode_id
from graphql_api.transports.transport_ws.setup import Timing
from persistence.models import TaskRow, UserRow
from services import task as task_service
from services.task import TaskEdit
from tests.graphql_api.realtime.support import until
from tests.graphql_api.test_tasks import ASSIGN, DELETE, STATUS, task_id, user_id
from tests.graphql_api.transports.serving import serving
from tests.graphql_api.transports.sockets import Socket, connected
from tests.support.api import Api

MOVES = """subscription ($filter: TaskStreamFilter, $after: String) {
  taskStatusChanged(filter: $filter, after: $after) {
    __typename cursor at taskId task { id title status version }
    ... on TaskStatusChanged { from to by { username } }
    ... on ResyncRequired { reason } } }"""
CHANGES = """subscription ($filter: TaskStreamFilter, $after: String) {
  taskChanged(filter: $filter, after: $after) {
    __typename cursor taskId task { id version description }
    ... on TaskChanged { changes }
    ... on ResyncRequired { reason } } }"""
PASSWORD = "Correct-horse1"
TASK_LIKE = encode_id("Task", UUID(int=1))
TO_AND_FRO = (TaskStatus.IN_PROGRESS, TaskStatus.TODO)

Item = dict[str, Any]


class Listener:
    """A signed-in socket, and what it hears."""

    def __init__(self, api: Api, socket: Socket) -> None:
        self.api = api
        self.socket = socket

    async def listen(self, query: str, id: str = "1", /, **variables: Any) -> None:
        """Subscribe, and return when the server has begun to listen for us."""
        before = self.api.server.stream.subscribers
        await self.socket.subscribe(id, query, **variables)
        await until(lambda: self.api.server.stream.subscribers > before)

    async def hear(self, id: str = "1") -> Item:
        """The next item of an operation; nothing else may come before it but pings."""
        while (message := await self.socket.receive())["type"] == "ping":
            pass
        assert (message["type"], message["id"]) == ("next", id), message
        assert "errors" not in message["payload"], message
        [item] = message["payload"]["data"].values()
        return dict(item)

    async def asked(self, query: str, id: str = "1", /, **variables: Any) -> Item:
        """What an operation says first, whatever that is."""
        await self.socket.subscribe(id, query, **variables)
        return await self.socket.receive()

    async def lives(self) -> None:
        """The socket answers."""
        await self.socket.send(type="ping", payload={"still": "there"})
        assert await self.socket.receive() == {"type": "pong", "payload": {"still": "there"}}

    async def is_closed(self, within: float = 1.0) -> int:
        """The code that the socket is closed with."""
        async with asyncio.timeout(within):
            code, _ = await self.socket.closed()
        return code


@pytest.fixture(scope="module")
async def live(api: Api) -> AsyncIterator[Api]:
    """The API over the network."""
    async with serving(api.server.asgi()) as url, httpx.AsyncClient(base_url=url) as client:
        yield Api(api.server, api.house, client, api.tokens)


@asynccontextmanager
async def signed_in(api: Api, who: UserRow | str | None, **options: Any) -> AsyncIterator[Listener]:
    """A socket of a user, with a token, or of nobody; when it is left the server has forgotten it."""
    before = api.server.stream.subscribers
    token = await api.token(who) if isinstance(who, UserRow) else who
    async with connected(str(api.client.base_url).rstrip("/"), **options) as socket:
        await socket.init({"token": token} if token else None)
        yield Listener(api, socket)
    await until(lambda: api.server.stream.subscribers <= before)


async def move(api: Api, task: TaskRow, status: str, by: UserRow) -> None:
    """Move a task on the board."""
    (await api.ask(STATUS, by, input={"id": task_id(task), "status": status})).payload("updateTaskStatus")


async def assign(api: Api, task: TaskRow, to: UserRow | None, by: UserRow) -> None:
    """Give a task to somebody."""
    wanted = {"id": task_id(task), "assigneeId": user_id(to) if to else None}
    (await api.ask(ASSIGN, by, input=wanted)).payload("assignTask")


async def delete(api: Api, task: TaskRow, by: UserRow) -> None:
    """Delete a task."""
    (await api.ask(DELETE, by, input={"id": task_id(task)})).payload("deleteTask")


async def to_and_fro(api: Api, task: TaskRow, by: UserRow, times: int) -> None:
    """Move a task many times, as fast as can be."""
    for status, _ in zip(cycle(TO_AND_FRO), range(times), strict=False):
        await task_service.update_task_status(api.house.as_(by), task_id=task.id, status=status)


async def positions_of(api: Api, task: TaskRow) -> list[int]:
    """Where the events of a task stand in the log."""
    await api.numbered()
    async with api.house.as_(None) as uow:
        return sorted(logged.position for logged in await uow.events.of_task(task.id, before=None, at_most=10_000))


def position(item: Item) -> int:
    """Where an item stands in the log."""
    return StreamCursor.decode(item["cursor"]).position


class TestItems:
    async def test_a_move_arrives_whole(self, live: Api):
        """A move over HTTP comes with from, to, by, the current task and a cursor; common fields need no fragment."""
        owner = await live.a_user()
        task = await live.house.a_task(owner)
        async with signed_in(live, owner) as listener:
            await listener.listen(MOVES)
            await move(live, task, "DONE", owner)
            item = await listener.hear()

        assert item.pop("cursor")
        assert datetime.fromisoformat(item.pop("at")) > datetime.now(UTC) - timedelta(seconds=10)
        assert item == {
            "__typename": "TaskStatusChanged",
            "taskId": task_id(task),
            "task": {"id": task_id(task), "title": task.title, "status": "DONE", "version": 2},
            "from": "TODO",
            "to": "DONE",
            "by": {"username": owner.username},
        }

    async def test_every_change_names_what_was_changed(self, live: Api):
        """`taskChanged` tells creation, edits, moves, assignments and the end of a task, each once and in order."""
        owner = await live.a_user()
        async with signed_in(live, owner) as listener:
            await listener.listen(CHANGES)
            task = await task_service.create_task(live.house.as_(owner), title="Paint")
            edit = TaskEdit(title="Paint it", description="Blue")
            await task_service.update_task(live.house.as_(owner), task_id=task.id, edit=edit)
            await move(live, task, "DONE", owner)
            await assign(live, task, owner, owner)
            await delete(live, task, owner)
            items = [await listener.hear() for _ in range(5)]

        assert [item.get("changes") for item in items] == [
            ["CREATED"],
            ["TITLE", "DESCRIPTION"],
            ["STATUS"],
            ["ASSIGNEE"],
            None,
        ]
        assert items[-1]["__typename"] == "TaskDeleted"
        assert (items[-1]["taskId"], items[-1]["task"]) == (task_id(task), None)

    async def test_assignment_opens_and_closes_the_view(self, live: Api):
        """An assignee hears of a task from its assignment on, then that it is gone, and nothing of it afterwards."""
        owner, assignee = await live.a_user(), await live.a_user()
        task, own = await live.house.a_task(owner), await live.house.a_task(assignee)
        async with signed_in(live, assignee) as listener:
            await listener.listen(CHANGES)
            await move(live, task, "IN_PROGRESS", owner)
            await assign(live, task, assignee, owner)
            seen = await listener.hear()
            await assign(live, task, None, owner)
            gone = await listener.hear()
            await move(live, task, "DONE", owner)
            await move(live, own, "DONE", assignee)
            after = await listener.hear()

        assert (seen["changes"], seen["task"]["version"]) == (["ASSIGNEE"], 3)
        assert (gone["__typename"], gone["taskId"], gone["task"]) == ("TaskGone", task_id(task), None)
        assert after["taskId"] == task_id(own)

    async def test_moves_only_also_tell_what_leaves_ones_sight(self, live: Api):
        """`taskStatusChanged` is silent about other changes, but tells that a task is gone or deleted."""
        owner, assignee = await live.a_user(), await live.a_user()
        first, second = [await live.house.a_task(owner, assignee_id=assignee.id) for _ in range(2)]
        async with signed_in(live, assignee) as listener:
            await listener.listen(MOVES)
            edit = TaskEdit(title="Another")
            await task_service.update_task(live.house.as_(owner), task_id=first.id, edit=edit)
            await assign(live, first, None, owner)
            await delete(live, second, owner)
            items = [await listener.hear() for _ in range(2)]

        assert [item["__typename"] for item in items] == ["TaskGone", "TaskDeleted"]

    async def test_a_stranger_hears_nothing(self, live: Api):
        """Whatever happens to others' tasks, also by name in a filter: the first thing heard is of one's own."""
        owner, stranger = await live.a_user(), await live.a_user()
        task, own = await live.house.a_task(owner), await live.house.a_task(stranger)
        async with signed_in(live, stranger) as listener:
            await listener.listen(CHANGES)
            await listener.listen(CHANGES, "2", filter={"taskIds": [task_id(task), task_id(own)]})
            await move(live, task, "DONE", owner)
            await assign(live, task, owner, owner)
            await delete(live, task, owner)
            await move(live, own, "DONE", stranger)
            heard = [(await listener.socket.receive())["payload"]["data"]["taskChanged"]["taskId"] for _ in range(2)]

        assert heard == [task_id(own)] * 2

    async def test_moderators_hear_everything(self, live: Api):
        """A moderator hears of anybody's tasks."""
        moderator, owner = await live.a_user(Role.MODERATOR), await live.a_user()
        task = await live.house.a_task(owner)
        async with signed_in(live, moderator) as listener:
            await listener.listen(MOVES)
            await move(live, task, "DONE", owner)

            assert (await listener.hear())["taskId"] == task_id(task)


class TestFilters:
    async def test_only_what_was_asked_for_is_told(self, live: Api):
        """By task, owner, assignee and target; of what does not match, nothing comes before what does."""
        admin, owner, other = await live.a_user(Role.ADMIN), await live.a_user(), await live.a_user()
        noise = await live.house.a_task(other)
        task = await live.house.a_task(owner, assignee_id=other.id)
        filters: list[Item] = [
            {"taskIds": [task_id(task)]},
            {"ownerId": user_id(owner)},
            {"assigneeId": user_id(other)},
            {"ownerId": user_id(owner), "assigneeId": user_id(other)},
            {"ownerId": user_id(owner), "to": ["DONE", "CANCELLED"]},
            {},
        ]
        async with signed_in(live, admin) as listener:
            for number, wanted in enumerate(filters):
                await listener.listen(MOVES, str(number), filter=wanted)
            await move(live, noise, "DONE", other)
            await move(live, task, "IN_PROGRESS", owner)
            await move(live, task, "DONE", owner)
            heard = await self._heard(listener, 4 * 2 + 1 + 3)

        assert [heard[str(number)] for number in range(4)] == [["IN_PROGRESS", "DONE"]] * 4
        assert heard["4"] == ["DONE"]
        assert heard["5"] == ["DONE", "IN_PROGRESS", "DONE"]

    async def test_a_match_before_the_change_counts(self, live: Api):
        """Who listens to the tasks of an assignee learns that one was taken away."""
        owner, assignee = await live.a_user(), await live.a_user()
        task = await live.house.a_task(owner, assignee_id=assignee.id)
        async with signed_in(live, owner) as listener:
            await listener.listen(CHANGES, filter={"assigneeId": user_id(assignee)})
            await assign(live, task, None, owner)

            assert (await listener.hear())["changes"] == ["ASSIGNEE"]

    async def test_an_empty_list_finds_nothing(self, live: Api):
        """Of no tasks nothing is told; a list that is left out is another matter."""
        owner = await live.a_user()
        task = await live.house.a_task(owner)
        async with signed_in(live, owner) as listener:
            await listener.listen(MOVES, "none", filter={"taskIds": []})
            await listener.listen(MOVES, "any", filter={"taskIds": None})
            await move(live, task, "IN_PROGRESS", owner)
            await move(live, task, "DONE", owner)

            assert [(await listener.hear("any"))["to"] for _ in range(2)] == ["IN_PROGRESS", "DONE"]
            await listener.lives()

    @pytest.mark.parametrize("wanted", [{"ownerId": "nonsense"}, {"taskIds": [TASK_LIKE] * 101}])
    async def test_what_makes_no_sense_is_refused(self, live: Api, wanted: Item):
        """A malformed id in a filter, or too many, is an error of this operation."""
        async with signed_in(live, await live.a_user()) as listener:
            answer = await listener.asked(MOVES, filter=wanted)

            assert (answer["type"], answer["id"]) == ("error", "1")
            assert answer["payload"][0]["extensions"]["code"] == "BAD_REQUEST"
            await listener.lives()

    async def _heard(self, listener: Listener, many: int) -> dict[str, list[str]]:
        heard: dict[str, list[str]] = {}
        for _ in range(many):
            message = await listener.socket.receive()
            heard.setdefault(message["id"], []).append(message["payload"]["data"]["taskStatusChanged"]["to"])
        return heard


class TestFreshness:
    async def test_each_event_is_seen_with_fresh_eyes(self, live: Api):
        """Between events the assignee is renamed, then another: each frame tells what is true by then."""
        query = "subscription { taskChanged { task { assignee { username } } ... on TaskChanged { by { username } } } }"
        owner, one, other = await live.a_user(), await live.a_user(), await live.a_user()
        task = await live.house.a_task(owner, assignee_id=one.id)
        heard = []
        async with signed_in(live, owner) as listener:
            await listener.listen(query)
            for status, name in (("IN_PROGRESS", "old.name"), ("TODO", "new.name")):
                await self._rename(live, one, name)
                await move(live, task, status, one)
                heard.append(await listener.hear())
            await assign(live, task, other, owner)
            heard.append(await listener.hear())

        assert [each["task"]["assignee"]["username"] for each in heard] == ["old.name", "new.name", other.username]
        assert [each["by"]["username"] for each in heard] == ["old.name", "new.name", owner.username]

    async def test_the_task_is_the_current_row(self, live: Api):
        """A replayed event tells its own from and to, and the task as it is now."""
        owner = await live.a_user()
        task = await live.house.a_task(owner)
        start = await stream_cursor(live, owner)
        await to_and_fro(live, task, owner, 3)
        await live.numbered()
        async with signed_in(live, owner) as listener:
            await listener.listen(MOVES, after=start)
            items = [await listener.hear() for _ in range(3)]

        assert [(item["from"], item["to"]) for item in items] == [
            ("TODO", "IN_PROGRESS"),
            ("IN_PROGRESS", "TODO"),
            ("TODO", "IN_PROGRESS"),
        ]
        assert {item["task"]["version"] for item in items} == {4}

    async def _rename(self, api: Api, user: UserRow, name: str) -> None:
        async with api.house.database.session() as session:
            (await session.merge(user)).username = name
            await session.commit()


async def stream_cursor(api: Api, who: UserRow) -> str:
    """Where the stream stands, from a list."""
    answer = await api.ask("{ tasks(first: 1) { streamCursor } }", who)
    return str(answer.data["tasks"]["streamCursor"])


class TestOperations:
    async def test_several_on_one_socket(self, live: Api):
        """Two subscriptions hear the same event under their own ids; ending one leaves the other."""
        owner = await live.a_user()
        task = await live.house.a_task(owner)
        async with signed_in(live, owner) as listener:
            await listener.listen(MOVES, "a")
            await listener.listen(CHANGES, "b")
            await move(live, task, "IN_PROGRESS", owner)
            assert {(await listener.socket.receive())["id"] for _ in range(2)} == {"a", "b"}

            await listener.socket.send(id="a", type="complete")
            await until(lambda: live.server.stream.subscribers == 1)
            await move(live, task, "DONE", owner)
            assert (await listener.hear("b"))["changes"] == ["STATUS"]
            await listener.lives()

    async def test_queries_and_mutations_go_over_it_too(self, live: Api):
        """A query and a mutation answer once and complete; the mutation's own event is heard on the same socket."""
        owner = await live.a_user()
        task = await live.house.a_task(owner)
        async with signed_in(live, owner) as listener:
            me = await listener.asked("{ me { username } }", "q")
            assert me["payload"]["data"]["me"]["username"] == owner.username
            assert await listener.socket.receive() == {"id": "q", "type": "complete"}

            await listener.listen(MOVES, "s")
            await listener.socket.subscribe("m", STATUS, input={"id": task_id(task), "status": "DONE"})
            messages = [await listener.socket.receive() for _ in range(3)]

        kinds = {(each["id"], each["type"]) for each in messages}
        assert kinds == {("m", "next"), ("m", "complete"), ("s", "next")}

    async def test_nobody_may_not_listen(self, live: Api):
        """An anonymous subscription never begins: an error that says UNAUTHENTICATED ends it, and the socket lives."""
        async with signed_in(live, None) as listener:
            answer = await listener.asked(MOVES)

            assert answer["type"] == "error"
            assert [each["extensions"]["code"] for each in answer["payload"]] == ["UNAUTHENTICATED"]
            await listener.lives()

    async def test_a_slow_reader_gets_everything(self, live: Api, monkeypatch: pytest.MonkeyPatch):
        """Who reads nothing while hundreds of big frames are due gets each of them afterwards, once and in order."""
        owner = await live.a_user()
        task = await live.house.a_task(owner, description="💥" * 10_000)
        query = "subscription { taskChanged { cursor task { description a: description b: description } } }"
        many = 100
        monkeypatch.setattr(live.server.stream, "_room", 16)
        async with signed_in(live, owner, compression=None, max_queue=1, sock=narrow(live)) as listener:
            await listener.listen(query)
            before = live.server.stream.counters.replays
            await to_and_fro(live, task, owner, many)
            items = [await listener.hear() for _ in range(many)]

        assert [position(item) for item in items] == await positions_of(live, task)
        assert live.server.stream.counters.replays > before


def narrow(api: Api) -> socket.socket:
    """A connection that holds little of what is not read."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    connection.connect((api.client.base_url.host, api.client.base_url.port))
    connection.setblocking(False)
    return connection


class TestResume:
    async def test_a_dropped_socket_misses_nothing(self, live: Api):
        """Sockets that break again and again while a task keeps moving hear every move once, cursor to cursor."""
        owner = await live.a_user()
        task = await live.house.a_task(owner)
        cursor = await stream_cursor(live, owner)
        heard: list[int] = []
        writing = asyncio.create_task(to_and_fro(live, task, owner, 200))
        while len(heard) < 200:
            async with signed_in(live, owner) as listener:
                await listener.listen(MOVES, after=cursor)
                for _ in range(min(30, 200 - len(heard))):
                    item = await listener.hear()
                    cursor = item["cursor"]
                    heard.append(position(item))
                listener.socket.connection.transport.abort()
        await writing

        assert heard == await positions_of(live, task)

    async def test_a_list_and_its_cursor_leave_no_gap(self, live: Api):
        """What changes between a list and the subscription that follows it is told."""
        owner = await live.a_user()
        task = await live.house.a_task(owner)
        cursor = await stream_cursor(live, owner)
        await move(live, task, "DONE", owner)
        async with signed_in(live, owner) as listener:
            await listener.listen(MOVES, after=cursor)

            assert (await listener.hear())["to"] == "DONE"

    async def test_pings_carry_cursors(self, live: Api):
        """A ping says where each subscription stands, though nothing was for it; one may go on from there."""
        owner, other = await live.a_user(), await live.a_user()
        noise, task = await live.house.a_task(other), await live.house.a_task(owner)
        live.server.timing = Timing(ping=0.1)
        async with serving(live.server.asgi()) as url, connected(url) as hasty:
            live.server.timing = None
            await hasty.init({"token": await live.token(owner)})
            await Listener(live, hasty).listen(MOVES, "mine")
            await move(live, noise, "DONE", other)
            [expected] = await positions_of(live, noise)
            cursor = await self._pinged(hasty, expected)
        await until(lambda: live.server.stream.subscribers == 0)
        await move(live, task, "DONE", owner)

        async with signed_in(live, owner) as listener:
            await listener.listen(MOVES, after=cursor)
            assert (await listener.hear())["taskId"] == task_id(task)

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (lambda here: StreamCursor("another", here.position, here.access_version), "EPOCH"),
            (lambda here: StreamCursor(here.epoch, here.position + 1_000_000, here.access_version), "FUTURE"),
            (lambda here: StreamCursor(here.epoch, here.position, here.access_version + 1), "ACCESS"),
        ],
    )
    async def test_a_cursor_that_leads_nowhere(
        self, live: Api, change: Callable[[StreamCursor], StreamCursor], reason: str
    ):
        """A forged, foreign or future cursor is answered by one ResyncRequired, and then the stream goes on."""
        owner = await live.a_user()
        task = await live.house.a_task(owner)
        forged = change(StreamCursor.decode(await stream_cursor(live, owner))).encode()
        async with signed_in(live, owner) as listener:
            await listener.listen(MOVES, after=forged)
            resync = await listener.hear()
            await move(live, task, "DONE", owner)
            item = await listener.hear()

        assert (resync["__typename"], resync["reason"]) == ("ResyncRequired", reason)
        assert (resync["taskId"], resync["task"]) == (None, None)
        assert item["to"] == "DONE"
        assert position(item) > position(resync)

    async def test_another_role_is_another_view(self, live: Api):
        """A cursor from before a change of role wants a resync: what could be seen then says nothing about now."""
        user = await live.a_user()
        cursor = await stream_cursor(live, user)
        await set_role(live, user, "MODERATOR")
        await until_asked(live, user, "MODERATOR")
        async with signed_in(live, user) as listener:
            await listener.listen(MOVES, after=cursor)

            assert (await listener.hear())["reason"] == "ACCESS"

    @pytest.mark.parametrize("text", ["", "x", "💥", "A" * 10_000, "czEuYS4xLjE.", "\x00"])
    async def test_a_cursor_that_is_none(self, live: Api, text: str):
        """Text that is no cursor is a BAD_REQUEST of this operation; the socket lives."""
        async with signed_in(live, await live.a_user()) as listener:
            answer = await listener.asked(MOVES, after=text)

            assert (answer["type"], answer["id"]) == ("error", "1")
            assert answer["payload"][0]["extensions"]["code"] == "BAD_REQUEST"
            await listener.lives()

    async def _pinged(self, socket: Socket, expected: int) -> str:
        async with asyncio.timeout(3):
            while True:
                message = await socket.receive()
                assert message["type"] == "ping", message
                await socket.send(type="pong")
                cursor: str = message["payload"]["cursors"]["mine"]
                if StreamCursor.decode(cursor).position >= expected:
                    return cursor


async def set_role(api: Api, user: UserRow, role: str) -> None:
    """Give a user a role."""
    query = "mutation ($input: SetUserRoleInput!) { setUserRole(input: $input) { userErrors { code } } }"
    admin = await api.a_user(Role.ADMIN)
    (await api.ask(query, admin, input={"userId": user_id(user), "role": role})).payload("setUserRole")


async def until_asked(api: Api, user: UserRow, role: str) -> None:
    """Wait until the API takes the user for what it is now."""
    async with asyncio.timeout(1):
        while (await api.ask("{ me { role } }", user)).body.get("data") != {"me": {"role": role}}:
            await asyncio.sleep(0.01)


@pytest.fixture
async def person(live: Api) -> tuple[UserRow, list[str]]:
    """A user whose password is known, and the tokens of two of their devices."""
    user = await live.a_user(password_hash=await live.server.passwords.hash(PASSWORD))
    sessions = [await live.house.a_session(user) for _ in range(2)]
    return user, [live.server.tokens.issue(user.id, each.id, datetime.now(UTC)).token for each in sessions]


async def _logout(api: Api, user: UserRow, tokens: list[str]) -> None:
    (await api.ask("mutation { logout { userErrors { code } } }", tokens[0])).payload("logout")


async def _logout_all(api: Api, user: UserRow, tokens: list[str]) -> None:
    (await api.ask("mutation { logoutAll { userErrors { code } } }", tokens[1])).payload("logoutAll")


async def _revoke(api: Api, user: UserRow, tokens: list[str]) -> None:
    query = "mutation ($input: RevokeSessionInput!) { revokeSession(input: $input) { userErrors { code } } }"
    session = api.server.tokens.read(tokens[0], datetime.now(UTC)).session_id
    answer = await api.ask(query, tokens[1], input={"sessionId": encode_id("Session", session)})
    answer.payload("revokeSession")


async def _change_password(api: Api, user: UserRow, tokens: list[str]) -> None:
    query = "mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { userErrors { code } } }"
    wanted = {"currentPassword": PASSWORD, "newPassword": "Other-horse2"}
    (await api.ask(query, tokens[1], input=wanted)).payload("changePassword")


async def _disable(api: Api, user: UserRow, tokens: list[str]) -> None:
    query = "mutation ($input: SetUserActiveInput!) { setUserActive(input: $input) { userErrors { code } } }"
    admin = await api.a_user(Role.ADMIN)
    (await api.ask(query, admin, input={"userId": user_id(user), "isActive": False})).payload("setUserActive")


async def _promote(api: Api, user: UserRow, tokens: list[str]) -> None:
    await set_role(api, user, "MODERATOR")


Ending = Callable[[Api, UserRow, list[str]], Awaitable[None]]


class TestEndings:
    @pytest.mark.parametrize(
        ("ending", "second_lives"),
        [
            (_logout, True),
            (_logout_all, False),
            (_revoke, True),
            (_change_password, True),
            (_disable, False),
            (_promote, False),
        ],
    )
    async def test_the_right_sockets_are_closed(
        self, live: Api, person: tuple[UserRow, list[str]], ending: Ending, second_lives: bool
    ):
        """What takes away rights closes the sockets that had them with 4403 within a second, and no others."""
        user, tokens = person
        async with (
            signed_in(live, tokens[0]) as first,
            signed_in(live, tokens[1]) as second,
            signed_in(live, await live.a_user()) as stranger,
        ):
            await first.listen(MOVES)
            await ending(live, user, tokens)

            assert await first.is_closed() == 4403
            if second_lives:
                await second.lives()
            else:
                assert await second.is_closed() == 4403
            await stranger.lives()

    async def test_an_expired_token_closes_the_socket(self, live: Api):
        """When the token's time is over the socket is closed with 4403, so that the client comes back with another."""
        user, settings = await live.a_user(), live.server.settings
        short = AccessTokens(settings.key_ring, settings.token_issuer, settings.token_audience, timedelta(seconds=1.9))
        session = await live.house.a_session(user)
        issued = short.issue(user.id, session.id, datetime.now(UTC))
        async with signed_in(live, issued.token) as listener:
            await listener.listen(MOVES)

            assert await listener.is_closed(within=3) == 4403
            assert datetime.now(UTC) - issued.expires_at < timedelta(seconds=0.5)

    async def test_who_was_cut_off_does_not_come_back(self, live: Api, person: tuple[UserRow, list[str]]):
        """A token whose session is over opens no socket any more: 4403."""
        user, tokens = person
        async with signed_in(live, tokens[0]) as first:
            await _logout(live, user, tokens)
            assert await first.is_closed() == 4403
        async with connected(str(live.client.base_url).rstrip("/")) as socket:
            await socket.send(type="connection_init", payload={"token": tokens[0]})
            assert (await socket.closed())[0] == 4403
