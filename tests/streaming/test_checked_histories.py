"""The checker reads what a process delivers: it finds no fault, and finds injected ones."""

import asyncio
import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import select, text

from domain.event_parsing import read_event
from domain.events import LoggedEvent, TaskEvent
from domain.policy import Reach
from domain.stream_cursor import StreamCursor
from domain.task import TaskStatus
from domain.user import Role
from persistence.models import EventRow, TaskRow, UserRow
from services import task as task_service
from services import task_creation
from streaming import visibility
from streaming.stream_items import Delivered
from streaming.subscriber_index import SubscriberIndex
from streaming.subscription import Subscriber
from streaming.visibility import Visibility
from tests.streaming.conftest import StartProcess
from tests.streaming.support import Process
from tests.support.builders import Builders
from tests.support.histories import an_item
from tests.support.transactions import orm_session
from verification.history import History, ItemKind, Listener, RecordedConnection, TaskFacts, Write
from verification.history_check import check_history
from verification.report import Fault, Report

NUMBER_EVENTS: str = importlib.import_module("migrations.versions.2026-11-28-1000_numbering_floor").NUMBER_EVENTS
KINDS = {Visibility.VISIBLE: ItemKind.CHANGED, Visibility.GONE: ItemKind.GONE, Visibility.DELETED: ItemKind.DELETED}
QUIET_SECONDS = 0.4


class Scene:
    """An owner who writes, and four subscribers to one process."""

    def __init__(self, build: Builders, process: Process) -> None:
        self.build = build
        self.process = process
        self.writes: list[Write] = []
        self.listeners: list[Listener] = []
        self.users: dict[str, UserRow] = {}
        self.written = asyncio.Event()

    async def play(self) -> Report:
        """Some writes, all their deliveries, and the report."""
        roles = {"owner": Role.USER, "worker": Role.USER, "outsider": Role.USER, "admin": Role.ADMIN}
        self.users = {name: await self.build.a_user(role) for name, role in roles.items()}
        listening = [asyncio.create_task(self._listen(name)) for name in roles]
        await asyncio.sleep(0)
        for _ in range(3):
            await self._write()
        async with self.build.database.log() as log:
            while (head := await log.head()).pending:
                await asyncio.sleep(0.005)
        await self.process.reaches(head.position)
        self.written.set()
        await asyncio.gather(*listening)
        return check_history(await self._history())

    async def _write(self) -> None:
        """A task's life: two changes at a time, so that they are numbered together."""
        owner, worker = self.users["owner"], self.users["worker"]
        task = await self._acked(task_creation.create_task(self._as(owner), title="A task"))
        await self._acked(task_service.assign_task(self._as(owner), task_id=task.id, assignee_id=worker.id))
        async with self._without_numbering():
            for status in (TaskStatus.IN_PROGRESS, TaskStatus.DONE):
                move = task_service.update_task_status(self._as(worker), task_id=task.id, status=status)
                await self._acked(move)
        await self._acked(task_service.assign_task(self._as(owner), task_id=task.id, assignee_id=None))

    @asynccontextmanager
    async def _without_numbering(self) -> AsyncIterator[None]:
        async with orm_session(self.build.database) as session:
            await session.execute(text("SELECT 1 FROM event_head FOR UPDATE"))
            yield
            await session.rollback()
        await asyncio.sleep(0.05)

    def _as(self, user: UserRow):
        return self.process.build.as_(user)

    async def _acked(self, work) -> TaskRow:
        begun = asyncio.get_running_loop().time()
        task: TaskRow = await work
        self.writes.append(Write(task.id, task.version, begun, asyncio.get_running_loop().time()))
        return task

    async def _listen(self, name: str) -> None:
        user = self.users[name]
        actor = self.build.actor(user)
        async with self.process.stream.subscribe(actor, None, None) as subscriber:
            connection = RecordedConnection(0.0, StreamCursor.decode(subscriber.cursor), ())
            self.listeners.append(Listener(name, user.id, connections=[connection]))
            await self._receive(subscriber, connection)

    async def _receive(self, subscriber: Subscriber, connection: RecordedConnection) -> None:
        while True:
            try:
                async with asyncio.timeout(QUIET_SECONDS):
                    delivered = await anext(subscriber)
            except TimeoutError:
                if self.written.is_set():
                    return
                continue
            assert isinstance(delivered, Delivered)
            assert isinstance(delivered.event, TaskEvent)
            item = an_item(delivered.position, delivered.event, KINDS[delivered.visibility])
            item.cursor = StreamCursor.decode(delivered.cursor)
            connection.items.append(item)

    async def _history(self) -> History:
        async with orm_session(self.build.database) as session:
            rows = list(await session.scalars(select(EventRow).order_by(EventRow.position)))
            tasks = list(await session.scalars(select(TaskRow)))
        log = [LoggedEvent(row.position or 0, read_event(row.kind, row.payload)) for row in rows]
        final = [TaskFacts(row.id, row.version, row.status, row.title, row.owner_id, row.assignee_id) for row in tasks]
        roles = {user.id: {1: user.role} for user in self.users.values()}
        return History(self.writes, log, self.listeners, roles, final)


@pytest.fixture
async def scene(build: Builders, start: StartProcess) -> Scene:
    """An empty database, and one process."""
    return Scene(build, await start())


@pytest.fixture
def spoilt_audience(monkeypatch: pytest.MonkeyPatch) -> dict[int, list[int]]:
    """Replaces the events of an offer, by their numbers from 1."""
    instead: dict[int, list[int]] = {}
    seen: list[tuple[LoggedEvent, TaskEvent]] = []
    offer = SubscriberIndex.offer

    def spoilt(self: SubscriberIndex, logged: LoggedEvent, event: TaskEvent) -> None:
        seen.append((logged, event))
        for number in instead.get(len(seen), [len(seen)]):
            offer(self, *seen[number - 1])

    monkeypatch.setattr(SubscriberIndex, "offer", spoilt)
    return instead


async def test_a_correct_process_has_no_faults(scene: Scene):
    """The report is empty."""
    report = await scene.play()

    assert report.findings == []
    assert report.acknowledged == 15
    assert report.delivered == 15 + 15 + 3 * 4


@pytest.mark.parametrize(
    ("instead", "fault"),
    [({7: []}, Fault.LOST), ({7: [7, 7]}, Fault.DUPLICATED), ({7: [], 8: [8, 7]}, Fault.OUT_OF_ORDER)],
)
async def test_a_faulty_subscriber_index_is_detected(
    scene: Scene, spoilt_audience: dict[int, list[int]], instead: dict[int, list[int]], fault: Fault
):
    """It drops an event, delivers one twice, or swaps two."""
    spoilt_audience.update(instead)

    assert fault in {finding.fault for finding in (await scene.play()).findings}


async def test_a_numberer_that_is_broken(scene: Scene, build: Builders):
    """A numberer that does not number in the order of the commits is found out."""
    await _replace_function(build, NUMBER_EVENTS.replace("(ORDER BY e.id)", "(ORDER BY e.id DESC)"))
    try:
        report = await scene.play()
    finally:
        await _replace_function(build, NUMBER_EVENTS)

    assert report.count(Fault.OUT_OF_ORDER) > 0


async def test_a_faulty_visibility_is_detected(scene: Scene, monkeypatch: pytest.MonkeyPatch):
    """It shows every task to every user."""
    monkeypatch.setattr(visibility, "may", lambda *arguments: True)
    monkeypatch.setattr(visibility, "reach_of", lambda *arguments: {Reach.ANY})
    report = await scene.play()

    assert report.count(Fault.FORBIDDEN) > 0


async def _replace_function(build: Builders, statement: str) -> None:
    async with build.database.engine.begin() as connection:
        await connection.execute(text(statement.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")))
