"""The test of a running server: clients change tasks, subscribers receive the events, and the history is checked.

The events come from the server's history of each task; their positions come from the items that subscribers received.
"""

import asyncio
import random
import secrets
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from domain.events import LoggedEvent, MembershipEvent, People, TaskChange, TaskEvent
from domain.project import ProjectRole
from domain.task import FOLLOWERS, TaskStatus
from verification.client.account import Account, Me
from verification.client.failures import Away, Failed, Refused
from verification.client.follower import Follower, Recorder
from verification.client.lists import read_cursor
from verification.client.projects import KnownProject, Projects, create_if_permitted
from verification.client.reading import TASK as _TASK
from verification.client.reading import changes_of, facts_of, member_of
from verification.client.writer import Known, TaskWriter
from verification.history import History, Item, ItemKind, Listener, MembershipWrite, TaskFacts
from verification.history_check import check_history
from verification.report import Report

TIMEOUT_SECONDS: Final = 15.0
"""The time to wait for events after the writers have stopped."""
_TASKS_EACH: Final = 3
_PAUSE_SECONDS: Final = (0.01, 0.05)
_HISTORY: Final = """query ($id: ID!, $after: String) { task(id: $id) { history(first: 100, after: $after) {
  nodes { at changes from to version } pageInfo { hasNextPage endCursor } } } }"""
_OURS: Final = f"""query ($search: String!) {{ tasks(first: 100, filter: {{search: $search}}) {{
  nodes {{ {_TASK} }} }} }}"""


@dataclass(frozen=True, slots=True)
class StreamTestPlan:
    """The size and the duration of the test, and whether faults are injected into its connections."""

    writers: int = 4
    listeners: int = 4
    seconds: float = 10.0
    faults: bool = True


@dataclass(slots=True)
class _Subscriber:
    follower: Follower
    recorder: Recorder
    task: asyncio.Task[None]


@dataclass(slots=True)
class StreamTest:
    """One test with one account; `run` removes everything that it creates.

    If the account may create projects, it creates one while listeners are connected: they have to resync, and then
    receive the events of the tasks in it.
    """

    account: Account
    plan: StreamTestPlan
    say: Callable[[str], None] = lambda text: None
    name: str = field(default_factory=lambda: f"verify-stream {secrets.token_hex(4)}")
    _subscribers: list[_Subscriber] = field(default_factory=list)
    _writers: list[TaskWriter] = field(default_factory=list)
    _live: dict[UUID, Known] = field(default_factory=dict)
    _ended: list[TaskEvent] = field(default_factory=list)
    _project: KnownProject | None = None
    _in_project: set[UUID] = field(default_factory=set)

    async def run(self) -> Report:
        """Change tasks, receive events, inject faults, and check the history.

        Raises:
            Refused, Unreachable: the account cannot sign in, or the server does not answer.
        """
        me = await self.account.me()
        cursor = await read_cursor(self.account)
        plan = self.plan
        self.say(f"Running {plan.writers} writers and {plan.listeners} listeners for {plan.seconds:g} s …")
        try:
            async with self._listening(me):
                await self._write_for_a_while()
                await self._finish()
                for subscriber in self._subscribers:
                    await subscriber.follower.reread()
                events = [event async for event in self._events(me)]
                final = [found.facts for task in self._live.values() if (found := await self._read(task))]
        finally:
            await self._clean_up()
        return check_history(self._history(me, cursor.access_version, events, final))

    @asynccontextmanager
    async def _listening(self, me: Me) -> AsyncIterator[None]:
        for number in range(self.plan.listeners):
            recorder = Recorder(Listener(f"listener {number + 1}", me.user_id), time.monotonic)
            follower = Follower(self.account, self.account.api, recorder, search=self.name, longest_pause=1.0)
            self._subscribers.append(_Subscriber(follower, recorder, asyncio.create_task(follower.run())))
        try:
            await self._until(lambda: all(subscriber.recorder.position >= 0 for subscriber in self._subscribers))
            yield
        finally:
            for subscriber in self._subscribers:
                subscriber.task.cancel()
            await asyncio.gather(*(subscriber.task for subscriber in self._subscribers), return_exceptions=True)

    async def _write_for_a_while(self) -> None:
        stop = asyncio.Event()
        writers = [TaskWriter(self.account, f"{self.name} {number}") for number in range(self.plan.writers)]
        self._writers = writers
        tasks = [asyncio.create_task(self._write(writer, stop)) for writer in writers]
        faults = asyncio.create_task(self._inject_faults(stop)) if self.plan.faults else None
        await asyncio.sleep(self.plan.seconds / 3)
        await self._create_project()
        await asyncio.sleep(2 * self.plan.seconds / 3)
        stop.set()
        await asyncio.gather(*tasks)
        if faults is not None:
            await faults

    async def _create_project(self) -> None:
        """Create the project, or find it if the answer was lost."""
        projects = Projects(self.account)
        while self._project is None:
            try:
                self._project = await create_if_permitted(projects, self.name)
            except Failed:
                await asyncio.sleep(0.1)
                self._project = next(iter(await self._projects()), None)
                continue
            if self._project is None:
                self.say("This account may not create projects: only personal tasks are tested.")
            return

    async def _projects(self) -> list[KnownProject]:
        """The projects that this run created."""
        while True:
            try:
                return await Projects(self.account).named(self.name)
            except Refused as refused:
                if not isinstance(refused, Away):
                    return []  # the server has no projects
                await asyncio.sleep(0.1)
            except Failed:
                await asyncio.sleep(0.1)

    async def _write(self, writer: TaskWriter, stop: asyncio.Event) -> None:
        """Each writer changes only its own tasks, so that it is clear which version belongs to which write."""
        mine: list[UUID] = []
        while not stop.is_set():
            await self._write_once(writer, mine)
            await asyncio.sleep(random.uniform(*_PAUSE_SECONDS))  # noqa: S311

    async def _write_once(self, writer: TaskWriter, mine: list[UUID]) -> None:
        if len(mine) < _TASKS_EACH:
            project = self._project if random.random() < 0.7 else None  # noqa: S311
            created = await writer.create(project=project.id if project is not None else None)
            if created is not None:
                mine.append(created.facts.task_id)
                self._live[created.facts.task_id] = created
                if project is not None:
                    self._in_project.add(created.facts.task_id)
            return
        task = self._live[random.choice(mine)]  # noqa: S311
        match random.randrange(10):  # noqa: S311
            case 0:
                await self._end(writer, task)
                if task.facts.task_id not in self._live:
                    mine.remove(task.facts.task_id)
            case 1 | 2 | 3:
                self._store(task, await writer.edit(task) or await writer.look(task))
            case _:
                status = random.choice(sorted(FOLLOWERS[task.facts.status]))  # noqa: S311
                self._store(task, await writer.move(task, status.value) or await writer.look(task))

    def _store(self, task: Known, found: Known | None) -> None:
        self._live[task.facts.task_id] = found or task

    async def _end(self, writer: TaskWriter, task: Known) -> None:
        """Delete a task; its history must be read before."""
        try:
            events = [event async for event in self._history_of(task)]
        except Failed:
            return
        done = await writer.delete(task)
        if not done and await self._read(task) is not None:
            return
        del self._live[task.facts.task_id]
        self._ended += [*events, _deletion(events[-1])]

    async def _inject_faults(self, stop: asyncio.Event) -> None:
        """Break connections, and pause reading, at random."""
        while not stop.is_set():
            await asyncio.sleep(random.uniform(0.3, 1.0))  # noqa: S311
            follower = random.choice(self._subscribers).follower  # noqa: S311
            if random.random() < 0.6 and follower.socket is not None:  # noqa: S311
                await follower.socket.abort()
            else:
                follower.reading.clear()
                await asyncio.sleep(0.5)
                follower.reading.set()

    async def _finish(self) -> None:
        """Change each task once more, and wait: a subscriber that receives this change has passed all earlier ones."""
        for task in list(self._live.values()):
            found = await self._writers[0].edit(task)
            self._store(task, found)
        lasts = {task_id: known.facts.version for task_id, known in self._live.items()}
        await self._until(
            lambda: all(_has_received(subscriber.recorder, lasts) for subscriber in self._subscribers), fail=False
        )

    async def _events(self, me: Me) -> AsyncIterator[TaskEvent]:
        for event in self._ended:
            yield event
        for task in self._live.values():
            async for event in self._history_of(task):
                yield event

    async def _history_of(self, task: Known) -> AsyncIterator[TaskEvent]:
        """A task's events, the oldest first."""
        entries: list[dict[str, Any]] = []
        after = None
        while True:
            page = (await self.account.ask(_HISTORY, {"id": task.id, "after": after}))["task"]["history"]
            entries += page["nodes"]
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = page["pageInfo"]["endCursor"]
        for entry in reversed(entries):
            in_project = self._project is not None and task.facts.task_id in self._in_project
            yield _event(task.facts, entry, self._project.project_id if self._project and in_project else None)

    async def _read(self, task: Known) -> Known | None:
        writer = TaskWriter(self.account, self.name)
        while True:
            found = await writer.look(task)
            if found is not None or not writer.failures:
                return found
            writer.failures.clear()
            await asyncio.sleep(0.1)

    def _history(self, me: Me, version: int, events: list[TaskEvent], final: list[TaskFacts]) -> History:
        items = [
            item
            for subscriber in self._subscribers
            for connection in subscriber.recorder.listener.connections
            for item in connection.items
        ]
        titled = list(_titled(events, self._titles(items, final)))
        log, unplaced = with_positions(titled, items)
        joined = list(self._joined(me))
        return History(
            writes=[write for writer in self._writers for write in writer.writes],
            log=log,
            listeners=[subscriber.recorder.listener for subscriber in self._subscribers],
            roles={me.user_id: {version: me.role}},
            final=final,
            whole=False,
            unplaced=[*unplaced, *joined],
            membership_writes=[MembershipWrite(each.user_id, each.project_id, each.role) for each in joined],
            members={each.user_id: {each.project_id: ProjectRole.MANAGER} for each in joined},
        )

    def _joined(self, me: Me) -> Iterator[MembershipEvent]:
        """The change by which the account became the manager of the project, while all listeners were connected."""
        if self._project is not None:
            project_id, role = self._project.project_id, ProjectRole.MANAGER
            yield MembershipEvent(me.user_id, project_id, me.user_id, datetime.now(UTC), None, role)

    def _titles(self, items: Iterable[Item], final: Iterable[TaskFacts]) -> dict[tuple[UUID, int], str]:
        """The titles by task and version: those of acknowledged writes, else those that were received."""
        titles = {key: facts.title for writer in self._writers for key, facts in writer.answers.items()}
        for facts in [*final, *(item.task for item in items if item.task is not None)]:
            titles.setdefault((facts.task_id, facts.version), facts.title)
        return titles

    async def _clean_up(self) -> None:
        """Delete the tasks that this run created, also those whose answer was lost, and end its own session."""
        cleaner = TaskWriter(self.account, self.name)
        for _ in range(20):
            try:
                left = (await self.account.ask(_OURS, {"search": self.name}))["tasks"]["nodes"]
            except Failed:
                await asyncio.sleep(0.5)
                continue
            if not left:
                break
            for task in left:
                await cleaner.delete(Known(task["id"], facts_of(task)))
        else:
            self.say(f"Some tasks could not be removed. Their titles begin with {self.name!r}.")
        for project in await self._projects():
            with suppress(Failed):
                await Projects(self.account).delete(project)
        await self.account.sign_out()

    async def _until(self, condition: Callable[[], bool], *, fail: bool = True) -> None:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not condition():
            for subscriber in self._subscribers:
                if subscriber.task.done():
                    subscriber.task.result()
            if time.monotonic() > deadline:
                if fail:
                    raise TimeoutError("no subscriber could connect")
                return
            await asyncio.sleep(0.02)


def with_positions(events: Iterable[TaskEvent], items: Iterable[Item]) -> tuple[list[LoggedEvent], list[TaskEvent]]:
    """Events with the positions of the received items, and events without an item.

    The task and the time of an item identify its event. Events of one task with the same time are in the order of their
    versions. A resync is no event: its cursor has the position of the event before it, and its time is another one.
    """
    instants: dict[int, datetime] = {}
    positions_of: dict[tuple[UUID | None, datetime | None], set[int]] = defaultdict(set)
    for item in items:
        if item.kind is ItemKind.RESYNC:
            continue
        ends = item.kind is ItemKind.DELETED
        positions_of[item.task_id, None if ends else item.at].add(item.cursor.position)
        instants[item.cursor.position] = item.at
    unused = {key: sorted(positions) for key, positions in positions_of.items()}
    log, unplaced = [], []
    for event in sorted(events, key=lambda each: each.version):
        waiting = unused.get((event.task_id, None if event.deleted else event.at))
        if waiting:
            log.append(LoggedEvent(position := waiting.pop(0), replace(event, at=instants[position])))
        else:
            unplaced.append(event)
    return log, unplaced


def _has_received(recorder: Recorder, lasts: dict[UUID, int]) -> bool:
    received: dict[UUID, int] = {}
    for connection in recorder.listener.connections:
        for item in connection.items:
            for facts in [item.task] if item.task is not None else item.snapshot or ():
                received[facts.task_id] = facts.version
    return all(received.get(task_id, 0) >= version for task_id, version in lasts.items())


def _event(facts: TaskFacts, entry: dict[str, Any], project_id: UUID | None) -> TaskEvent:
    people = People(facts.owner_id, facts.assignee_id, project_id)
    created = entry["from"] is None
    return TaskEvent(
        task_id=facts.task_id,
        version=entry["version"],
        changes=changes_of(entry["changes"]),
        from_status=None if created else member_of(TaskStatus, entry["from"]),
        to_status=member_of(TaskStatus, entry["to"]),
        title="",
        before=None if created else people,
        after=people,
        actor_id=facts.owner_id,
        at=datetime.fromisoformat(entry["at"]),
        request_id=None,
    )


def _deletion(last: TaskEvent) -> TaskEvent:
    return TaskEvent(
        task_id=last.task_id,
        version=last.version + 1,
        changes=(TaskChange.DELETED,),
        from_status=last.to_status,
        to_status=last.to_status,
        title="",
        before=last.after,
        after=None,
        actor_id=last.actor_id,
        at=last.at,
        request_id=None,
    )


def _titled(events: Iterable[TaskEvent], titles: dict[tuple[UUID, int], str]) -> Iterator[TaskEvent]:
    for event in events:
        yield replace(event, title=titles.get((event.task_id, event.version), ""))
