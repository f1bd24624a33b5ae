"""Whether one listener was told everything that it may see, once, in order, truly, and nothing else."""

from collections.abc import Iterator
from uuid import UUID

from domain.events import TaskEvent
from domain.user import Role
from verification.cache import Cache
from verification.expected_visibility import Viewer, people_of
from verification.history import Connection, History, Item, Kind, Listener, TaskFacts
from verification.index import Index
from verification.report import Fault, Report

_TASK_KINDS = (Kind.CHANGED, Kind.MOVED)
_NOBODY = Role.USER


class ListenerCheck:
    """Goes through a listener's connections in order. It *stands* where everything before was told."""

    def __init__(self, history: History, index: Index, listener: Listener, report: Report) -> None:
        self._history = history
        self._index = index
        self._listener = listener
        self._report = report
        self._roles = history.roles[listener.user_id]
        self._told: set[int] = set()
        self._missing: dict[int, str] = {}
        self._standing: int | None = None
        self._version = max(self._roles)

    def judge(self) -> None:
        """Note everything that is wrong."""
        for number, connection in enumerate(self._listener.connections, start=1):
            self._where = f"{self._listener.name}, connection {number}"
            self._open(connection)
            self._listen(connection)
        if self._standing is not None:
            self._where = self._listener.name
            self._close()
        for position, where in self._missing.items():
            self._report.note(Fault.LOST, where, f"{position} was passed over")

    def _open(self, connection: Connection) -> None:
        """A connection begins where its cursor says; without a new snapshot nothing may lie between."""
        if connection.snapshot is None and self._standing is not None:
            self._pass(self._standing, connection.after.position)
        self._standing = connection.after.position
        self._version = connection.after.access_version
        self._session_end = self._index.session_end(self._listener.user_id, connection.session_id)

    def _listen(self, connection: Connection) -> None:
        here: set[int] = set()
        for item in connection.items:
            position = item.cursor.position
            if item.kind is Kind.RESYNC:
                self._resync(item)
            elif self._in_order(position, here):
                self._check_rights(item)
                self._judge_item(item)
                self._pass(self._standing or 0, position - 1)
                self._standing = position
            here.add(position)
            self._count(item)

    def _count(self, item: Item) -> None:
        if item.kind is Kind.RESYNC:
            self._report.resyncs += 1
        elif item.cursor.position in self._told:
            self._report.repeated += 1
        else:
            self._told.add(item.cursor.position)
            self._missing.pop(item.cursor.position, None)
            self._report.delivered += 1

    def _in_order(self, position: int, here: set[int]) -> bool:
        if self._standing is None or position > self._standing:
            return True
        if position in here:
            self._note(Fault.DUPLICATED, f"{position} was told twice")
        elif position in self._told:
            self._note(Fault.DUPLICATED, f"{position} was told again, and the cursor said that it was known")
        else:
            self._note(Fault.OUT_OF_ORDER, f"{position} was told after {self._standing}")
        return False

    def _resync(self, item: Item) -> None:
        if item.reason == "ACCESS" and item.cursor.access_version == self._version:
            self._note(Fault.WRONG, "a resync for other rights that are the same")
        elif item.reason != "ACCESS":
            self._note(Fault.LOST, f"a resync ({item.reason}): whatever lay before it is lost to this listener")
        if item.snapshot is None:
            self._note(Fault.WRONG, "a resync, and the listener has not read its lists again")
        self._standing, self._version = item.cursor.position, item.cursor.access_version

    def _check_rights(self, item: Item) -> None:
        """Nothing may come of what happened after the rights were lost under which it is told."""
        position, version = item.cursor.position, item.cursor.access_version
        if version != self._version:
            self._note(Fault.WRONG, f"{position} is told under other rights, without a resync")
            self._version = version
        ends = (self._index.rights_end(self._listener.user_id, min(self._roles), version), self._session_end)
        if any(end is not None and position > end for end in ends):
            self._note(Fault.FORBIDDEN, f"{position} was told, and the rights had ended before it")

    def _judge_item(self, item: Item) -> None:
        viewer = self._viewer()
        if item.task is not None:
            self._judge_view(item.task, viewer)
        event = self._index.task_event(item.cursor.position)
        if event is not None:
            self._judge_event(item, event, viewer)
        elif item.task_id is not None and self._concerns(item.task_id):
            self._note(Fault.WRONG, f"{item.cursor.position} was told, and no such thing happened")

    def _judge_view(self, facts: TaskFacts, viewer: Viewer) -> None:
        """What is shown of a task must be what some version of it was, and theirs to see."""
        if not viewer.sees(people_of(facts)):
            self._note(Fault.FORBIDDEN, f"task {facts.task_id} was shown at version {facts.version}")
        made = self._index.version(facts.task_id, facts.version)
        if made is not None and (made.to_status, made.title, made.after) != (
            facts.status,
            facts.title,
            people_of(facts),
        ):
            self._note(Fault.WRONG, f"task {facts.task_id} was never like this at version {facts.version}")

    def _judge_event(self, item: Item, event: TaskEvent, viewer: Viewer) -> None:
        position = item.cursor.position
        expected = viewer.expects(event)
        if not viewer.may_hear(event) or (item.kind in _TASK_KINDS and not viewer.sees(event.after)):
            self._note(Fault.FORBIDDEN, f"{position} was told as {item.kind.value}")
        elif item.kind is not expected and not self._left_meanwhile(item, event, viewer):
            self._note(Fault.WRONG, f"{position} was told as {item.kind.value}, not as {expected}")
        elif self._lacks_its_task(item, event, viewer):
            self._note(Fault.WRONG, f"{position} was told without its task, which was not deleted")
        elif not _tells(item, event):
            self._note(Fault.WRONG, f"{position} was told with other facts than happened")

    def _left_meanwhile(self, item: Item, event: TaskEvent, viewer: Viewer) -> bool:
        """An event that could be seen is told as `TaskGone` if the listener could not see the task by then."""
        was_seen = viewer.expects(event) in _TASK_KINDS
        return (
            item.kind is Kind.GONE
            and was_seen
            and self._index.hidden_later(viewer, event.task_id, item.cursor.position)
        )

    def _lacks_its_task(self, item: Item, event: TaskEvent, viewer: Viewer) -> bool:
        """A change is told without the task only when that was deleted since, before the listener's eyes."""
        if item.kind not in _TASK_KINDS or item.task is not None:
            return False
        return not self._index.deleted_later(viewer, event.task_id, item.cursor.position)

    def _pass(self, standing: int, up_to: int) -> None:
        """Nothing that is to be told may lie behind one position, up to another one, without having been told."""
        for position in self._index.expected(self._viewer(), standing, up_to):
            if position not in self._told:
                self._missing.setdefault(position, self._where)

    def _close(self) -> None:
        """In the end everything was told, and what a client made of it is what is there."""
        assert self._standing is not None
        if self._version == max(self._roles):
            self._pass(self._standing, self._index.head)
        else:
            self._note(Fault.WRONG, "the rights changed, and the listener never heard of it")
        for event in self._history.unplaced:
            if self._viewer().expects(event) is not None:
                self._note(Fault.LOST, f"version {event.version} of task {event.task_id} was never told")
        if not self._listener.only_status:
            self._judge_cache()

    def _judge_cache(self) -> None:
        viewer = Viewer(self._listener.user_id, self._roles[max(self._roles)], only_status=False)
        seen = {facts.task_id: facts for facts in self._history.final if viewer.sees(people_of(facts))}
        kept = {facts.task_id: facts for facts in Cache.of(self._listener) if self._concerns(facts.task_id)}
        for task_id in seen.keys() | kept.keys():
            if seen.get(task_id) != kept.get(task_id):
                self._note(Fault.WRONG, _difference(task_id, seen.get(task_id), kept.get(task_id)))

    def _concerns(self, task_id: UUID) -> bool:
        return self._history.whole or task_id in self._index.tasks()

    def _viewer(self) -> Viewer:
        role = self._roles.get(self._version, _NOBODY)
        return Viewer(self._listener.user_id, role, self._listener.only_status)

    def _note(self, fault: Fault, what: str) -> None:
        self._report.note(fault, self._where, what)


def _tells(item: Item, event: TaskEvent) -> bool:
    """Whether an item says what happened."""
    return all(_agreements(item, event))


def _agreements(item: Item, event: TaskEvent) -> Iterator[bool]:
    yield item.task_id == event.task_id
    yield item.at == event.at
    yield item.task is None or item.task.version >= event.version
    if item.kind is Kind.CHANGED:
        yield item.changes == event.changes
    if item.kind is Kind.MOVED:
        yield (item.from_status, item.to_status) == (event.from_status, event.to_status)


def _difference(task_id: UUID, seen: TaskFacts | None, kept: TaskFacts | None) -> str:
    there = f"at version {seen.version}" if seen else "not to be seen"
    here = f"at version {kept.version}" if kept else "not there"
    return f"task {task_id} is {there}, and to this client it is {here}"
