"""The metrics of a process change with its work."""

import asyncio
from collections.abc import Callable

import pytest

from graphql_api.auth.hash_queue import Caller
from observability import metrics
from observability.metrics import Metric
from persistence.database import LOG_POOL_SIZE
from persistence.models import UserRow
from streaming.stream_items import Resync
from tests.graphql_api.test_tasks import CREATE
from tests.support.api import Api
from tests.support.api_server import an_api
from tests.support.waiting import HANG_SECONDS

LOGIN = "mutation ($input: LoginInput!) { login(input: $input) { userErrors { code } } }"
CURSOR = "{ tasks(first: 1) { streamCursor } }"


class Readings:
    """The numbers of the API's process, one at a time."""

    def __init__(self, api: Api) -> None:
        self._take = api.server._metrics_collector().collect

    def of(self, metric: Metric, *labels: str) -> float:
        """One of them; 0 if it is not there yet."""
        value = self._take()[metric.name].get(labels, 0.0)
        assert isinstance(value, float | int)
        return value


@pytest.fixture
def readings(api: Api) -> Readings:
    """What is read now."""
    return Readings(api)


async def write(api: Api, owner: UserRow, times: int) -> None:
    """Deliver this number of events of this owner."""
    for number in range(times):
        (await api.ask(CREATE, owner, input={"title": f"Task {number}"})).payload("createTask")
    await api.numbered()
    async with api.build.as_(None) as uow:
        position = (await uow.events.head()).position
    async with asyncio.timeout(HANG_SECONDS):
        while api.server.stream.position < position:
            await asyncio.sleep(0.01)


async def cursor_of(api: Api, owner: UserRow) -> str:
    """Where the stream stands."""
    return str((await api.ask(CURSOR, owner)).data["tasks"]["streamCursor"])


async def test_refusals_for_too_many_tries_are_counted_by_limit(api: Api, readings: Readings):
    """The sixth wrong password in a row is one more refusal of the limit on accounts, and of no other."""
    before = readings.of(metrics.THROTTLED, "login-account"), readings.of(metrics.THROTTLED, "login-address")
    user = await api.a_user()
    for _ in range(6):
        await api.ask(LOGIN, input={"username": user.username, "password": "Wrong-horse1"})
    after = readings.of(metrics.THROTTLED, "login-account"), readings.of(metrics.THROTTLED, "login-address")
    assert (after[0] - before[0], after[1] - before[1]) == (1, 0)


async def test_waiting_hashes_are_counted(api: Api, readings: Readings):
    """Of ten sign-ins two are computed and eight wait; afterwards none does."""
    callers = [Caller("192.0.2.1", f"user{number}") for number in range(10)]
    work = [asyncio.create_task(api.server.passwords.hash("Correct-horse1", caller=caller)) for caller in callers]
    await asyncio.sleep(0)
    assert readings.of(metrics.PASSWORDS_WAITING) == 8
    await asyncio.gather(*work)
    assert readings.of(metrics.PASSWORDS_WAITING) == 0


async def test_connections_in_use_are_seen(api: Api, readings: Readings):
    """A transaction that is open holds a connection of the pool of its kind, until it ends."""
    before = readings.of(metrics.CONNECTIONS, "requests")
    async with api.server.database.unit_of_work(None) as uow:
        await uow.server_time()
        assert readings.of(metrics.CONNECTIONS, "requests") == before + 1
    assert readings.of(metrics.CONNECTIONS, "requests") == before
    assert readings.of(metrics.CONNECTIONS_MAX, "requests") == api.server.settings.database_pool_size
    assert readings.of(metrics.CONNECTIONS_MAX, "log") == LOG_POOL_SIZE


async def test_queued_events_are_counted(api: Api, readings: Readings):
    """Three events wait for a busy subscriber; afterwards they count as delivered."""
    owner = await api.a_user()
    queued, delivered = readings.of(metrics.QUEUED), readings.of(metrics.DELIVERED)
    async with api.server.stream.subscribe(api.build.actor(owner), None, None) as subscriber:
        await write(api, owner, 3)
        assert readings.of(metrics.QUEUED) == queued + 3
        for _ in range(3):
            await anext(subscriber)
        assert readings.of(metrics.QUEUED) == queued
    assert readings.of(metrics.DELIVERED) == delivered + 3


async def test_replays_are_counted(api: Api, readings: Readings):
    """A cursor with later events reads a page of the log; meanwhile its subscriber counts as behind."""
    owner = await api.a_user()
    cursor = await cursor_of(api, owner)
    await write(api, owner, 2)
    replays, behind = readings.of(metrics.REPLAYS), readings.of(metrics.SUBSCRIPTIONS_BEHIND)
    async with api.server.stream.subscribe(api.build.actor(owner), None, cursor) as subscriber:
        assert readings.of(metrics.SUBSCRIPTIONS_BEHIND) == behind + 1
        await anext(subscriber)
        await anext(subscriber)
    assert readings.of(metrics.REPLAYS) == replays + 1
    assert readings.of(metrics.SUBSCRIPTIONS_BEHIND) == behind


async def test_resyncs_are_counted(api: Api, readings: Readings):
    """A cursor with other rights gets one resync."""
    owner = await api.a_user()
    cursor = await cursor_of(api, owner)
    resyncs = readings.of(metrics.RESYNCS)
    actor = api.build.actor(owner)
    other = type(actor)(actor.user_id, actor.role, actor.session_id, actor.access_version + 1)
    async with api.server.stream.subscribe(other, None, cursor) as subscriber:
        assert isinstance(await anext(subscriber), Resync)
    assert readings.of(metrics.RESYNCS) == resyncs + 1


async def test_operations_are_counted_by_executor(new_database: Callable[[], str], new_redis: Callable[[], str]):
    """The first request with a document runs on the general executor, and the next ones by its plan."""
    async with an_api(new_database(), new_redis(), plans_at_first_request=False) as api:
        user = await api.a_user()
        for _ in range(3):
            await api.ask("{ me { username } }", user)
        readings = Readings(api)

        expected = (1, 2) if api.server.compiled is not None else (0, 0)  # without plans nothing is counted
        assert (readings.of(metrics.OPERATIONS, "general"), readings.of(metrics.OPERATIONS, "compiled")) == expected
