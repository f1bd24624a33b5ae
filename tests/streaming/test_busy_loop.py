"""While the event loop is busy with requests, an event waits for a bounded number of their steps.

A statement of the fake database is answered after two iterations of the loop, so a test counts iterations only.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from graphql import ExecutionResult

from domain.actor import Actor
from domain.events import LoggedEvent, TaskEvent
from domain.task import TaskStatus
from domain.user import Role
from graphql_api.execution.delivery import Group, SharedExecutions
from graphql_api.resolvers.delivery import Delivery
from graphql_api.resolvers.stream import SubscriptionSource
from persistence.database import Database
from persistence.epoch import DatabaseIdentity, KnownServer, LogServer
from persistence.event_log import Head, Numbered, Observation
from persistence.numbering_floor import LastId, Writers
from streaming.notifier import Notification, Notifier
from streaming.stream import Stream
from tests.streaming.support import a_task_event, an_actor, until
from tests.support.events import published

REQUESTS = 50
MODERATOR = an_actor(Role.MODERATOR)


@dataclass
class Row:
    """A task, as far as the policy asks."""

    id: UUID
    owner_id: UUID
    assignee_id: None = None
    project_id: None = None
    status: TaskStatus = TaskStatus.DONE


SERVER = DatabaseIdentity(1, 1, 1, 1)


@dataclass
class FakeDatabase:
    """Committed events, and tasks that are owned by their owners."""

    committed: list[TaskEvent] = field(default_factory=list)
    rows: dict[UUID, Row] = field(default_factory=dict)
    position: int = 0
    reads: list[int] = field(default_factory=list)
    log_server: KnownServer = field(default_factory=KnownServer)
    wake: Callable[[], None] = lambda: None

    def commit(self, *owners: UUID) -> None:
        """Commit an event of a new task of each owner."""
        for owner in owners:
            event = a_task_event(owner)
            self.rows[event.task_id] = Row(event.task_id, owner)
            self.committed.append(event)
        self.wake()

    def on_recorded(self, listener: Callable[[], None]) -> None:
        """Call it after commits."""
        self.wake = listener

    @asynccontextmanager
    async def log(self) -> AsyncIterator["FakeDatabase"]:
        """The log."""
        yield self

    async def observe(self, position: int) -> Observation:
        """How far it reaches."""
        await _answered()
        return Observation(Head("epoch", self.position, 0, bool(self.committed)), LogServer(SERVER, SERVER))

    async def number(self, at_most: int) -> Numbered:
        """Number what is committed."""
        await _answered()
        events = [LoggedEvent(self.position + index, each) for index, each in enumerate(self.committed, start=1)]
        self.position += len(events)
        self.committed = []
        return Numbered("epoch", events, [published(each) for each in events])

    async def last_id(self) -> LastId:
        """The last id of an event."""
        return LastId("epoch", 1, self.position)

    async def writers(self) -> Writers:
        """No open transactions."""
        return Writers(frozenset(), is_one_prepared=False)

    async def raise_floor(self, last: LastId) -> None:
        """Nothing."""

    def delivery_unit_of_work(self, actor: Actor) -> "FakeDatabase":
        """A unit of work that reads."""
        return self

    unit_of_work = delivery_unit_of_work

    async def __aenter__(self) -> "FakeDatabase":
        return self

    async def __aexit__(self, *error: object) -> None:
        """Nothing."""

    @property
    def tasks(self) -> "FakeDatabase":
        """The repository of tasks."""
        return self

    async def find_many(self, ids: Collection[UUID]) -> dict[UUID, Row]:
        """Some tasks."""
        self.reads.append(len(ids))
        await _answered()
        return {each: self.rows[each] for each in ids}


async def _answered() -> None:
    for _ in range(2):
        await asyncio.sleep(0)


class FakeNotifier:
    """Reaches no other process."""

    healthy = True

    async def start(self, *callbacks: object) -> None:
        """Nothing."""

    async def stop(self) -> None:
        """Nothing."""

    def publish(self, notification: Notification) -> None:
        """Nothing."""


class Client:
    """A subscriber, and the positions that it received without its task."""

    def __init__(self, process: "Process", actor: Actor, *, waits: bool) -> None:
        self._waits = waits
        self.received: list[datetime] = []
        self.actor = actor
        self.subscriber = process.stream.subscribe(actor, None, None)
        self.sharing_key = process.group.sharing_key
        self._group = process.group
        context = cast("Any", self)
        self.backend = process
        source = SubscriptionSource(context, self.subscriber, cast("Any", lambda delivered, task: delivered))
        source.deliver_directly(self)
        self.task = asyncio.create_task(self._listen(source))

    def get_or_execute(self, delivery: Delivery) -> Any:
        """Execute, with a statement for other rows if the operation selects any."""
        execute = _read_others if self._waits else lambda: ExecutionResult({"at": "now"}, None)
        return self._group.get_or_execute(delivery, execute, "request")

    def send(self, answer: object) -> bool:
        """The frame is passed to the connection."""
        self.received.append(datetime.now(UTC))
        return True

    async def _listen(self, source: SubscriptionSource) -> None:
        async for _ in source:
            raise AssertionError("the task was woken")


async def _read_others() -> ExecutionResult:
    await _answered()
    return ExecutionResult({"at": "now"}, None)


class Process:
    """A stream with a fake database, and requests that always have something to do."""

    shared = True

    def __init__(self) -> None:
        self.database = FakeDatabase()
        self.stream = Stream(cast("Database", self.database), cast("Notifier", FakeNotifier()))
        self.group = Group(SharedExecutions(cast("Any", None)), "changes", personal=False)
        self.iterations = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def clients(self, *actors: Actor, waits: bool = False) -> list[Client]:
        """Waiting subscribers, whose operations select other rows if *waits*."""
        clients = [Client(self, actor, waits=waits) for actor in actors]
        self._tasks += [each.task for each in clients]
        await until(lambda: all(each.subscriber._consumer_waits for each in clients))
        return clients

    def serve_requests(self) -> None:
        """From now on, each iteration of the loop takes a step of each request."""
        self._tasks += [asyncio.create_task(self._request()) for _ in range(REQUESTS)]
        self._tasks.append(asyncio.create_task(self._count()))

    async def iterations_until(self, condition: Callable[[], bool]) -> int:
        """The number of iterations until a condition holds, at most 1,000."""
        before = self.iterations
        while not condition() and self.iterations < before + 1_000:
            await asyncio.sleep(0)
        return self.iterations - before

    async def stop(self) -> None:
        """End everything."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.stream.stop()

    async def _request(self) -> None:
        while True:
            await asyncio.sleep(0)

    async def _count(self) -> None:
        while True:
            self.iterations += 1
            await asyncio.sleep(0)


@pytest.fixture
async def process() -> AsyncIterator[Process]:
    """A process without load."""
    process = Process()
    process.stream._log_reader.scheduler._clock = lambda: 0.0  # a round does not depend on the machine
    await process.stream.start()
    yield process
    await process.stop()


async def test_an_event_waits_for_few_steps_of_each_request(process: Process):
    """From the commit to the frame: two statements, and a bounded number of iterations around them."""
    [client] = await process.clients(MODERATOR)
    process.serve_requests()
    process.database.commit(uuid4())

    assert await process.iterations_until(lambda: bool(client.received)) <= 10


async def test_the_tasks_of_many_subscribers_are_read_together(process: Process):
    """A hundred events for a hundred users are two reads, not a hundred, one after the other."""
    clients = await process.clients(*(an_actor() for _ in range(100)))
    process.serve_requests()
    process.database.commit(*(each.actor.user_id for each in clients))

    assert await process.iterations_until(lambda: all(each.received for each in clients)) <= 30
    assert sum(process.database.reads) == 100
    assert len(process.database.reads) <= 3


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("is_owner", [False, True])
async def test_a_backlog_of_one_subscriber_is_delivered_in_few_iterations(
    process: Process, *, waits: bool, is_owner: bool
):
    """Its items do not wait for a read and an execution each, also if it shares no results."""
    [client] = await process.clients(MODERATOR, waits=waits)
    process.serve_requests()
    process.database.commit(*(MODERATOR.user_id if is_owner else uuid4() for _ in range(200)))

    assert await process.iterations_until(lambda: len(client.received) == 200) <= 100
    assert len(process.database.reads) <= 2
