"""Over each transport: cursors of another version, and events of a newer one in the log."""

from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.stream_cursor import StreamCursor
from persistence.models import TaskRow, UserRow
from tests.domain.test_event_parsing import access_payload, task_payload, without
from tests.domain.test_stream_cursor import encoded
from tests.graphql_api.stream_client import move, stream_cursor
from tests.graphql_api.stream_transports import TRANSPORTS, Open, Received
from tests.support import newer_version
from tests.support.api import Api

UNREADABLE_CURSORS = ["s3.e.1.1", "s3.1.fingerprint", "s10.", "s999.~"]


@pytest.fixture(scope="module", autouse=True)
async def any_kind(api: Api) -> None:
    """The database of these tests takes any kind of event, as after the migration of a newer version."""
    await newer_version.take_any_kind(api.build.database)


@pytest.fixture(params=TRANSPORTS)
def listening(request: pytest.FixtureRequest) -> Open:
    """A way to listen."""
    return TRANSPORTS[request.param]


def kinds(received: list[Received]) -> list[str]:
    """What sort of items they are."""
    return [each.kind for each in received]


def future_of(task: TaskRow) -> list[tuple[str, Any]]:
    """Events that a newer version might write; a subscription to status changes receives a deletion and one status
    change.
    """
    people = {"owner": str(task.owner_id), "assignee": None}
    known = task_payload(task=str(task.id), by=str(task.owner_id), before=people, after=people)
    other = {**known, "task": str(uuid4())}
    return [
        ("COMMENT", {"task": str(task.id), "text": "x"}),
        ("COMMENT", None),
        ("x" * 20, [1]),
        ("TASK", {**known, "changes": ["COLOR"]}),
        ("TASK", {**known, "to": "BLOCKED"}),
        ("TASK", {**known, "from": "BLOCKED"}),
        ("TASK", {**other, "to": "BLOCKED", "after": None}),
        ("TASK", {**known, "after": {"team": 1}}),
        ("TASK", without(known, "at")),
        ("TASK", None),
        ("TASK", {**known, "changes": ["COLOR", "STATUS"], "project": 1}),
    ]


EXPECTED = ["TaskDeleted", "TaskStatusChanged"]
"""The expected items for `future_of`."""


class TestCursors:
    @pytest.mark.parametrize("plain", UNREADABLE_CURSORS)
    async def test_a_cursor_of_another_version_is_a_resync(self, live: Api, listening: Open, plain: str):
        """Once, with a cursor of this version, from which the stream continues."""
        owner = await live.a_user()
        task = await live.build.a_task(owner)
        async with listening(live, owner, encoded(plain)) as listener:
            resync = await listener.receive()
            await move(live, task, "DONE", owner)
            moved = await listener.receive()
        async with listening(live, owner, resync.cursor) as listener:
            again = await listener.receive()

        assert (resync.kind, resync.detail) == ("ResyncRequired", (None, None, "EPOCH"))
        assert StreamCursor.decode(resync.cursor).epoch == live.server.stream.epoch
        assert again == moved
        assert moved.detail == ("TODO", "DONE", None)


class TestEvents:
    async def test_unknown_events_are_left_out(self, live: Api, listening: Open):
        """Live and in a replay; the known parts of newer events are delivered."""
        owner = await live.a_user()
        task = await live.build.a_task(owner)
        start = await stream_cursor(live, owner)
        async with listening(live, owner, None) as listener:
            await newer_version.record(live.build.database, task.id, *future_of(task))
            await move(live, task, "DONE", owner)
            received = [await listener.receive() for _ in range(len(EXPECTED) + 1)]
        async with listening(live, owner, start) as listener:
            replayed = [await listener.receive() for _ in received]

        assert kinds(received) == [*EXPECTED, "TaskStatusChanged"]
        assert replayed == received
        assert received[-1].detail == ("TODO", "DONE", None)

    async def test_an_unknown_change_of_rights_ends_the_subscriptions_of_its_user(self, live: Api, listening: Open):
        """With the last cursor the user gets a resync; other subscriptions continue."""
        owner, other = await live.a_user(), await live.a_user()
        tasks = [await live.build.a_task(user) for user in (owner, other)]
        async with listening(live, owner, None) as his, listening(live, other, None) as others:
            await move(live, tasks[0], "DONE", owner)
            last = await his.receive()
            await self._change_rights(live, access_payload(user=str(owner.id), change="MEMBERSHIP_ENDED"))
            assert await his.is_cut_off()
            await move(live, tasks[1], "DONE", other)
            assert (await others.receive()).detail == ("TODO", "DONE", None)
        async with listening(live, owner, last.cursor) as listener:
            resync = await listener.receive()
            await move(live, tasks[0], "IN_PROGRESS", owner)
            after = await listener.receive()

        assert (resync.kind, resync.detail) == ("ResyncRequired", (None, None, "ACCESS"))
        assert after.detail == ("DONE", "IN_PROGRESS", None)

    @pytest.mark.parametrize("payload", [{}, None, access_payload(user="x")])
    async def test_an_unknown_change_without_a_user_ends_all_subscriptions(
        self, live: Api, listening: Open, payload: Any
    ):
        """It may concern every user."""
        users = [await live.a_user() for _ in range(2)]
        async with AsyncExitStack() as stack:
            listeners = [await stack.enter_async_context(listening(live, user, None)) for user in users]
            cursors = await self._cursors(live, users)
            await self._change_rights(live, payload)
            assert [await each.is_cut_off() for each in listeners] == [True, True]
        for user, cursor in zip(users, cursors, strict=True):
            async with listening(live, user, cursor) as listener:
                assert (await listener.receive()).detail == (None, None, "ACCESS")

    async def _cursors(self, api: Api, users: list[UserRow]) -> list[str]:
        return [await stream_cursor(api, user) for user in users]

    async def _change_rights(self, api: Api, payload: Any) -> None:
        await newer_version.record(api.build.database, UUID(int=2), ("ACCESS", payload))
