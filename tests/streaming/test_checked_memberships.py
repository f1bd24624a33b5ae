"""The checker reads what a process delivers to users who join, leave and get other roles, and finds broken parts."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from domain.actor import Actor
from domain.event_parsing import read_event
from domain.events import LoggedEvent, MembershipEvent, TaskEvent
from domain.policy import Action, may
from domain.project import ProjectRole
from domain.stream_cursor import StreamCursor
from domain.task import TaskStatus
from domain.user import Role
from persistence.models import EventRow, ProjectRow, TaskRow, UserRow
from services import membership as membership_service
from services import task as task_service
from services import task_creation
from streaming.memberships import Memberships
from streaming.stream import Stream
from streaming.stream_items import Delivered, Resync
from streaming.subscriber_index import SubscriberIndex
from streaming.subscription import Subscriber
from streaming.visibility import Visibility
from tests.streaming.support import Process, until
from tests.support.histories import an_item
from tests.support.transactions import orm_session
from verification.history import History, Item, ItemKind, Listener, RecordedConnection, TaskFacts, Write
from verification.history_check import check_history
from verification.report import Fault, Report

KINDS = {Visibility.VISIBLE: ItemKind.CHANGED, Visibility.GONE: ItemKind.GONE, Visibility.DELETED: ItemKind.DELETED}
ROLES = {
    "manager": Role.USER,
    "former": Role.USER,  # owns a task, and leaves
    "viewer": Role.USER,
    "guest": Role.USER,  # joins, gets another role, leaves, and comes back
    "outsider": Role.USER,
    "moderator": Role.MODERATOR,
    "admin": Role.ADMIN,
}
_dispatch, _change_membership = Stream._dispatch, SubscriberIndex.change_membership


class Scene:
    """A project with its members, all of whom listen at one process."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.users: dict[str, UserRow] = {}
        self.listeners: dict[str, Listener] = {}
        self.writes: list[Write] = []
        self.project: ProjectRow

    async def play(self) -> Report:
        """Changes of tasks and memberships, all their deliveries, and the report."""
        build = self.process.build
        self.users = {name: await build.a_user(role) for name, role in ROLES.items()}
        self.project = await build.a_project()
        for name, role in (("manager", "MANAGER"), ("former", "MEMBER"), ("viewer", "VIEWER")):
            await self._put(name, ProjectRole(role))
        await self._settled()
        listening = [asyncio.create_task(self._listen(name)) for name in ROLES]
        await until(lambda: len(self.listeners) == len(ROLES))
        try:
            await self._change()
        finally:
            for each in listening:
                each.cancel()
            await asyncio.gather(*listening, return_exceptions=True)
        return check_history(await self._history())

    async def _change(self) -> None:
        """Each change is received before the next one, so that no resync covers the items of another change."""
        task = await self._created("former")
        await self._put("guest", ProjectRole.VIEWER)
        await self._move(task, TaskStatus.IN_PROGRESS)
        await self._put("guest", ProjectRole.MEMBER)
        await self._put("former", None)
        await self._move(task, TaskStatus.DONE)
        await self._put("guest", None)
        await self._move(task, TaskStatus.TODO)
        await self._put("guest", ProjectRole.VIEWER)
        await self._created("manager")
        for name in ("guest", "former", "outsider"):
            await self._acked(task_creation.create_task(self._as(name), title="Personal"))

    def _as(self, name: str) -> Any:
        return self.process.build.as_(self.users[name])

    async def _put(self, name: str, role: ProjectRole | None) -> None:
        where: dict[str, Any] = {"project_id": self.project.id, "user_id": self.users[name].id}
        if role is None:
            await membership_service.remove_member(self._as("admin"), **where)
        else:
            await membership_service.put_member(self._as("admin"), role=role, **where)
        await self._settled()

    async def _created(self, name: str) -> TaskRow:
        made = task_creation.create_task(self._as(name), title="A task", project_id=self.project.id)
        return await self._acked(made)

    async def _move(self, task: TaskRow, status: TaskStatus) -> None:
        await self._acked(task_service.update_task_status(self._as("manager"), task_id=task.id, status=status))

    async def _acked(self, work: Any) -> TaskRow:
        begun = asyncio.get_running_loop().time()
        task: TaskRow = await work
        self.writes.append(Write(task.id, task.version, begun, asyncio.get_running_loop().time()))
        await self._settled()
        return task

    async def _settled(self) -> None:
        """All events are numbered, dispatched and received."""
        async with self.process.database.log() as log:
            while (head := await log.head()).pending:
                await asyncio.sleep(0.005)
        await self.process.reaches(head.position)
        await self._received()

    async def _received(self) -> None:
        """Nothing is left for any subscriber, and everything that they took is recorded."""
        await until(lambda: not self._waits() and self.process.stream.counters.delivered == self._recorded())

    def _waits(self) -> bool:
        stream = self.process.stream
        return bool(stream.queued) or any(each._resync_reason is not None for each in stream._subscribers)

    def _recorded(self) -> int:
        return sum(len(each.connections[0].items) for each in self.listeners.values())

    async def _listen(self, name: str) -> None:
        user, stream = self.users[name], self.process.stream
        roles = stream.memberships.of_user(user.id)
        stored = await self.process.build.roles_in(self.project.id)
        own = [f"{self.project.id} {stored[user.id].value}"] if user.id in stored else []
        roles.load(roles.begin_read(), own)
        actor = Actor(user.id, user.role, uuid4(), user.access_version, roles)
        async with stream.subscribe(actor, None, None) as subscriber:
            connection = RecordedConnection(0.0, StreamCursor.decode(subscriber.cursor), ())
            self.listeners[name] = Listener(name, user.id, connections=[connection])
            async for item in subscriber:
                connection.items.append(await self._item(item, name))

    async def _item(self, item: object, name: str) -> Item:
        if isinstance(item, Resync):
            cursor, at = StreamCursor.decode(item.cursor), self.project.created_at
            snapshot = await self._list(name)
            return Item(cursor, ItemKind.RESYNC, at, 0.0, reason=item.reason.value, snapshot=snapshot)
        assert isinstance(item, Delivered)
        assert isinstance(item.event, TaskEvent)
        made = an_item(item.position, item.event, KINDS[item.visibility])
        made.cursor = StreamCursor.decode(item.cursor)
        return made

    async def _list(self, name: str) -> tuple[TaskFacts, ...]:
        """The tasks that the user sees now."""
        user = self.users[name]
        role = (await self.process.build.roles_in(self.project.id)).get(user.id)
        actor = self.process.build.actor(user)
        rows = await self._rows()
        return tuple(_facts(row) for row in rows if may(actor, Action.READ_TASK, row, role if row.project_id else None))

    async def _rows(self) -> list[TaskRow]:
        async with orm_session(self.process.database) as session:
            return list(await session.scalars(select(TaskRow)))

    async def _history(self) -> History:
        async with orm_session(self.process.database) as session:
            rows = list(await session.scalars(select(EventRow).order_by(EventRow.position)))
        return History(
            writes=self.writes,
            log=[LoggedEvent(row.position or 0, read_event(row.kind, row.payload)) for row in rows],
            listeners=list(self.listeners.values()),
            roles={user.id: {1: user.role} for user in self.users.values()},
            final=[_facts(row) for row in await self._rows()],
        )


def _facts(row: TaskRow) -> TaskFacts:
    return TaskFacts(row.id, row.version, row.status, row.title, row.owner_id, row.assignee_id)


async def test_a_correct_process_has_no_faults(process: Process):
    """The guest has four resyncs and the former member one; what each listener receives is what it may see."""
    scene = Scene(process)
    report = await scene.play()
    delivered = {name: len(each.connections[0].items) for name, each in scene.listeners.items()}

    assert report.findings == []
    members, others = {"manager": 5, "viewer": 5}, {"outsider": 1, "moderator": 8, "admin": 8}
    assert report.resyncs == 5
    assert delivered == members | others | {"former": 3 + 1, "guest": 4 + 4}


def _dispatch_without_resync(self: Stream, logged: LoggedEvent) -> None:
    if not isinstance(logged.event, MembershipEvent):
        _dispatch(self, logged)


def _forget_to_index(self: SubscriberIndex, user_id: Any, project_id: Any, change: Callable[[], None]) -> None:
    change()


def _resync_all(self: Stream, logged: LoggedEvent) -> None:
    _dispatch(self, logged)
    if isinstance(logged.event, MembershipEvent):
        for subscriber in self._subscribers:
            subscriber.resync_if_behind(logged.position)


@pytest.mark.parametrize(
    ("owner", "name", "wrong", "fault"),
    [
        (Memberships, "apply", lambda self, event: None, Fault.FORBIDDEN),
        (SubscriberIndex, "change_membership", _forget_to_index, Fault.LOST),
        (Stream, "_dispatch", _dispatch_without_resync, Fault.WRONG),
        (Stream, "_dispatch", _resync_all, Fault.WRONG),
        (Subscriber, "resync_if_behind", lambda self, position: None, Fault.WRONG),
    ],
)
async def test_a_broken_part_is_found(
    process: Process, monkeypatch: pytest.MonkeyPatch, owner: object, name: str, wrong: object, fault: Fault
):
    """Roles that do not change, members who are not found, and a resync too few or too many."""
    monkeypatch.setattr(owner, name, wrong)
    report = await Scene(process).play()

    assert report.count(fault) > 0
