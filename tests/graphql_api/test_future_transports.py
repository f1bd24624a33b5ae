"""Over each transport: cursors of another version, and events of a newer one in the log."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from domain.stream_cursor import StreamCursor
from persistence.models import TaskRow, UserRow
from tests.domain.test_event_reading import access_payload, task_payload, without
from tests.domain.test_stream_cursor import encoded
from tests.graphql_api.conftest import an_api
from tests.graphql_api.listening import move, stream_cursor
from tests.graphql_api.stream_transports import TRANSPORTS, Heard, Open
from tests.graphql_api.transports.serving import serving
from tests.support import newer_version
from tests.support.api import Api
from tests.support.patience import HANG_SECONDS

UNREADABLE_CURSORS = ["s2.e.1.1", "s2.1.fingerprint", "s10.", "s999.~"]


@pytest.fixture(scope="module")
async def shared(new_database: Callable[[], str], redis_url: str) -> AsyncIterator[Api]:
    """An API over the network, on a database of its own, to which a newer version writes, too."""
    async with an_api(new_database(), redis_url) as api, serving(api.server.asgi()) as url:
        await newer_version.take_any_kind(api.house.database)
        async with httpx.AsyncClient(base_url=url, timeout=HANG_SECONDS) as client:
            yield Api(api.server, api.house, client, api.tokens)


@pytest.fixture(params=TRANSPORTS)
def listening(request: pytest.FixtureRequest) -> Open:
    """A way to listen."""
    return TRANSPORTS[request.param]


def kinds(heard: list[Heard]) -> list[str]:
    """What sort of items they are."""
    return [each.kind for each in heard]


def future_of(task: TaskRow) -> list[tuple[str, Any]]:
    """What a newer version might write of a task; a listener of moves is told a deletion and one move of it."""
    people = {"owner": str(task.owner_id), "assignee": None}
    known = task_payload(task=str(task.id), by=str(task.owner_id), before=people, after=people)
    other = {**known, "task": str(uuid4())}
    return [
        ("COMMENT", {"task": str(task.id), "text": "x"}),
        ("COMMENT", None),
        ("x" * 20, [1]),
        ("TASK", {**known, "changes": ["LABELS"]}),
        ("TASK", {**known, "to": "BLOCKED"}),
        ("TASK", {**known, "from": "BLOCKED"}),
        ("TASK", {**other, "to": "BLOCKED", "after": None}),
        ("TASK", {**known, "after": {"team": 1}}),
        ("TASK", without(known, "at")),
        ("TASK", None),
        ("TASK", {**known, "changes": ["LABELS", "STATUS"], "project": 1}),
    ]


TOLD = ["TaskDeleted", "TaskStatusChanged"]
"""What is told of `future_of`."""


class TestCursors:
    @pytest.mark.parametrize("plain", UNREADABLE_CURSORS)
    async def test_one_of_another_version_is_a_resync(self, shared: Api, listening: Open, plain: str):
        """It says so once, with a cursor of this version; then moves are told, and one may come back from there."""
        owner = await shared.a_user()
        task = await shared.house.a_task(owner)
        async with listening(shared, owner, encoded(plain)) as listener:
            resync = await listener.hear()
            await move(shared, task, "DONE", owner)
            moved = await listener.hear()
        async with listening(shared, owner, resync.cursor) as listener:
            again = await listener.hear()

        assert (resync.kind, resync.detail) == ("ResyncRequired", (None, None, "EPOCH"))
        assert StreamCursor.decode(resync.cursor).epoch == shared.server.stream.epoch
        assert again == moved
        assert moved.detail == ("TODO", "DONE", None)


class TestEvents:
    async def test_what_is_unknown_is_left_out(self, shared: Api, listening: Open):
        """Live and replayed alike: what is known of newer events is told, and the stream goes on."""
        owner = await shared.a_user()
        task = await shared.house.a_task(owner)
        start = await stream_cursor(shared, owner)
        async with listening(shared, owner, None) as listener:
            await newer_version.record(shared.house.database, task.id, *future_of(task))
            await move(shared, task, "DONE", owner)
            live = [await listener.hear() for _ in range(len(TOLD) + 1)]
        async with listening(shared, owner, start) as listener:
            replayed = [await listener.hear() for _ in live]

        assert kinds(live) == [*TOLD, "TaskStatusChanged"]
        assert replayed == live
        assert live[-1].detail == ("TODO", "DONE", None)

    async def test_an_unknown_change_of_rights_ends_the_subscriptions_of_its_user(self, shared: Api, listening: Open):
        """Who comes back with the last cursor is told to load everything again; others hear on."""
        owner, other = await shared.a_user(), await shared.a_user()
        tasks = [await shared.house.a_task(user) for user in (owner, other)]
        async with listening(shared, owner, None) as his, listening(shared, other, None) as others:
            await move(shared, tasks[0], "DONE", owner)
            last = await his.hear()
            await self._change_rights(shared, access_payload(user=str(owner.id), change="MEMBERSHIP_ENDED"))
            assert await his.is_cut_off()
            await move(shared, tasks[1], "DONE", other)
            assert (await others.hear()).detail == ("TODO", "DONE", None)
        async with listening(shared, owner, last.cursor) as listener:
            resync = await listener.hear()
            await move(shared, tasks[0], "IN_PROGRESS", owner)
            after = await listener.hear()

        assert (resync.kind, resync.detail) == ("ResyncRequired", (None, None, "ACCESS"))
        assert after.detail == ("DONE", "IN_PROGRESS", None)

    @pytest.mark.parametrize("payload", [{}, None, access_payload(user="x")])
    async def test_one_without_a_user_ends_them_all(self, shared: Api, listening: Open, payload: Any):
        """Nobody knows whose rights they were."""
        users = [await shared.a_user() for _ in range(2)]
        async with AsyncExitStack() as stack:
            listeners = [await stack.enter_async_context(listening(shared, user, None)) for user in users]
            cursors = await self._cursors(shared, users)
            await self._change_rights(shared, payload)
            assert [await each.is_cut_off() for each in listeners] == [True, True]
        for user, cursor in zip(users, cursors, strict=True):
            async with listening(shared, user, cursor) as listener:
                assert (await listener.hear()).detail == (None, None, "ACCESS")

    async def _cursors(self, api: Api, users: list[UserRow]) -> list[str]:
        return [await stream_cursor(api, user) for user in users]

    async def _change_rights(self, api: Api, payload: Any) -> None:
        await newer_version.record(api.house.database, UUID(int=2), ("ACCESS", payload))
