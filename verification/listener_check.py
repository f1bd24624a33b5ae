"""Checks that one listener received everything that it may see, once, in order, correctly, and nothing else."""

from collections.abc import Iterator
from uuid import UUID

from domain.events import MembershipEvent, TaskEvent
from domain.user import Role
from verification.cache import Cache
from verification.expected_visibility import ExpectedViewer
from verification.history import History, Item, ItemKind, Listener, RecordedConnection, TaskFacts
from verification.index import Index
from verification.report import Fault, Report
from verification.snapshot_cover import SnapshotCover

_TASK_KINDS = (ItemKind.CHANGED, ItemKind.MOVED)
_UNKNOWN_ROLE = Role.USER
RESYNC = "a resync ("
"""The beginning of the finding about a resync without a change of rights."""


class ListenerCheck:
    """Checks a listener's connections in order. Everything up to the current position must have been delivered.

    A change of the listener's role in a project needs a resync before any later event is delivered. A process applies
    the change before it delivers earlier events, so until the resync both roles may count.
    """

    def __init__(self, history: History, index: Index, listener: Listener, report: Report) -> None:
        self._history = history
        self._index = index
        self._listener = listener
        self._report = report
        self._roles = history.roles[listener.user_id]
        self._delivered: set[int] = set()
        self._missing: dict[int, str] = {}
        self._position: int | None = None
        self._version = max(self._roles)
        self._projects = index.roles(listener.user_id)
        self._resyncs_ahead = [
            item.cursor.position
            for connection in listener.connections
            for item in connection.items
            if item.kind is ItemKind.RESYNC
        ]
        mine = (isinstance(each, MembershipEvent) and each.user_id == listener.user_id for each in history.unplaced)
        self._unplaced_changes = self._unexplained_resyncs = sum(mine)

    def run(self) -> None:
        """Run the check, and add its findings to the report."""
        for number, connection in enumerate(self._listener.connections, start=1):
            self._where = f"{self._listener.name}, connection {number}"
            self._open_connection(connection)
            self._check_items(connection)
        if self._position is not None:
            self._where = self._listener.name
            self._check_end()
        for position, where in self._missing.items():
            self._report.note(Fault.LOST, where, f"event {position} was not delivered")

    def _open_connection(self, connection: RecordedConnection) -> None:
        """A connection starts at its cursor. Without a new snapshot there must be no gap before it."""
        if connection.snapshot is None and self._position is not None:
            self._check_changes_passed(connection.after.position)
            self._expect_delivered(self._position, connection.after.position)
        self._position = connection.after.position
        self._version = connection.after.access_version
        self._session_end = self._index.session_end(self._listener.user_id, connection.session_id)

    def _check_items(self, connection: RecordedConnection) -> None:
        here: set[int] = set()
        for item in connection.items:
            position = item.cursor.position
            if item.kind is ItemKind.RESYNC:
                self._resync(item)
            elif self._in_order(position, here):
                self._check_rights(item)
                self._check_changes_passed(position)
                self._check_item(item)
                self._expect_delivered(self._position or 0, position - 1)
                self._position = position
            here.add(position)
            self._count(item)

    def _count(self, item: Item) -> None:
        if item.kind is ItemKind.RESYNC:
            self._report.resyncs += 1
        elif item.cursor.position in self._delivered:
            self._report.repeated += 1
        else:
            self._delivered.add(item.cursor.position)
            self._missing.pop(item.cursor.position, None)
            self._report.delivered += 1

    def _in_order(self, position: int, here: set[int]) -> bool:
        if self._position is None or position > self._position:
            return True
        if position in here:
            self._add_finding(Fault.DUPLICATED, f"event {position} was delivered twice")
        elif position in self._delivered:
            self._add_finding(
                Fault.DUPLICATED, f"event {position} was delivered again, although the cursor was after it"
            )
        else:
            self._add_finding(Fault.OUT_OF_ORDER, f"event {position} was delivered after event {self._position}")
        return False

    @property
    def _next_resync(self) -> int:
        """The position of the next resync: changes up to there may count already. 0: there is none."""
        return self._resyncs_ahead[0] if self._resyncs_ahead else 0

    def _check_changes_passed(self, position: int) -> None:
        """The listener goes on to a position. It must not pass a change of its role in a project."""
        for passed in self._projects.changes(self._position or 0, position):
            self._add_finding(Fault.WRONG, f"a role in a project changed at {passed}, but the listener got no resync")

    def _resync(self, item: Item) -> None:
        self._resyncs_ahead.pop(0)
        if item.reason == "ACCESS" and not self._rights_changed(item):
            self._add_finding(Fault.WRONG, "a resync because of changed rights, but the rights are the same")
        elif item.reason != "ACCESS":
            self._add_finding(Fault.LOST, f"{RESYNC}{item.reason}): the events before it are lost for this listener")
        if item.snapshot is None:
            self._add_finding(Fault.WRONG, "a resync, but the listener has not read its lists again")
        self._position, self._version = item.cursor.position, item.cursor.access_version

    def _rights_changed(self, item: Item) -> bool:
        """Whether a resync has a reason: another access version, or another role in a project."""
        if item.cursor.access_version != self._version:
            return True
        if self._projects.changes(self._position or 0, item.cursor.position):
            return True
        self._unexplained_resyncs -= 1
        return self._unexplained_resyncs >= 0

    def _check_rights(self, item: Item) -> None:
        """No event after the end of the rights may be delivered with these rights."""
        position, version = item.cursor.position, item.cursor.access_version
        if version != self._version:
            self._add_finding(Fault.WRONG, f"event {position} was delivered with changed rights, without a resync")
            self._version = version
        ends = (self._index.rights_end(self._listener.user_id, min(self._roles), version), self._session_end)
        if any(end is not None and position > end for end in ends):
            self._add_finding(Fault.FORBIDDEN, f"event {position} was delivered, but the rights had ended before it")

    def _check_item(self, item: Item) -> None:
        viewer = self._viewer()
        if item.task is not None:
            self._check_view(item.task, item.cursor.position, viewer)
        event = self._index.task_event(item.cursor.position)
        if event is not None:
            self._check_event(item, event, viewer)
        elif item.task_id is not None and self._concerns(item.task_id):
            self._add_finding(Fault.WRONG, f"event {item.cursor.position} was delivered, but it is not in the log")

    def _check_view(self, facts: TaskFacts, position: int, viewer: ExpectedViewer) -> None:
        """The task of an item must be equal to one of its versions, and visible to the listener."""
        people = self._index.people_of(facts)
        if not viewer.sees_within(people, position, self._next_resync):
            self._add_finding(Fault.FORBIDDEN, f"task {facts.task_id} was shown at version {facts.version}")
        made = self._index.version(facts.task_id, facts.version)
        if made is not None and (made.to_status, made.title, made.after) != (facts.status, facts.title, people):
            self._add_finding(Fault.WRONG, f"task {facts.task_id} had other values at version {facts.version}")

    def _check_event(self, item: Item, event: TaskEvent, viewer: ExpectedViewer) -> None:
        position = item.cursor.position
        expected = viewer.expected_kinds(event, position, self._next_resync)
        if self._is_forbidden(item, event, viewer):
            self._add_finding(Fault.FORBIDDEN, f"event {position} was delivered as {item.kind.value}")
        elif item.kind not in expected and not self._left_meanwhile(item, event, viewer):
            usual = viewer.expects(event, position)
            self._add_finding(Fault.WRONG, f"event {position} was delivered as {item.kind.value}, not as {usual}")
        elif self._lacks_task(item, event, viewer):
            self._add_finding(Fault.WRONG, f"event {position} was delivered without its task, which was not deleted")
        elif differences := list(_differences(item, event)):
            said = "; ".join(differences)
            self._add_finding(Fault.WRONG, f"event {position} was delivered as {item.kind.value} with {said}")

    def _is_forbidden(self, item: Item, event: TaskEvent, viewer: ExpectedViewer) -> bool:
        """Whether the listener saw the task neither before nor after the event, or was shown what it may not see."""
        position, last = item.cursor.position, self._next_resync
        if viewer.sees_within(event.after, position, last):
            return False
        return item.kind in _TASK_KINDS or not viewer.sees_within(event.before, position, last)

    def _left_meanwhile(self, item: Item, event: TaskEvent, viewer: ExpectedViewer) -> bool:
        """A visible event may be delivered as `TaskGone` if the task became invisible in the meantime."""
        position, last = item.cursor.position, self._next_resync
        was_seen = any(kind in _TASK_KINDS for kind in viewer.expected_kinds(event, position, last))
        return item.kind is ItemKind.GONE and was_seen and self._index.hidden_later(viewer, event, position, last)

    def _lacks_task(self, item: Item, event: TaskEvent, viewer: ExpectedViewer) -> bool:
        """Only a task that was deleted since, and that the listener could see, may be missing in an item."""
        if item.kind not in _TASK_KINDS or item.task is not None:
            return False
        return not self._index.deleted_later(viewer, event.task_id, item.cursor.position, self._next_resync)

    def _expect_delivered(self, after: int, up_to: int) -> None:
        """All visible events after *after* and up to *up_to* must have been delivered."""
        viewer = self._viewer()
        for position in self._index.expected(viewer, after, up_to):
            if position not in self._delivered and not self._was_hidden(position, viewer):
                self._missing.setdefault(position, self._where)

    def _was_hidden(self, position: int, viewer: ExpectedViewer) -> bool:
        """Whether a change of a role hid the event before it was delivered; the resync is still to come."""
        event = self._index.task_event(position)
        return event is not None and None in viewer.expected_kinds(event, position, self._next_resync)

    def _check_end(self) -> None:
        """At the end everything must be delivered, and the client's cache must be equal to the final state."""
        assert self._position is not None
        self._check_changes_passed(self._index.head)
        if self._unplaced_changes and self._unexplained_resyncs == self._unplaced_changes:
            self._add_finding(Fault.WRONG, "a role in a project changed, but the listener got no resync")
        if self._version == max(self._roles):
            self._expect_delivered(self._position, self._index.head)
        else:
            self._add_finding(Fault.WRONG, "the rights changed, but the listener got no resync")
        for event in self._history.unplaced:
            if isinstance(event, TaskEvent) and self._is_lost(event):
                self._add_finding(Fault.LOST, f"version {event.version} of task {event.task_id} was never delivered")
        if not self._listener.only_status:
            self._check_cache()

    def _is_lost(self, event: TaskEvent) -> bool:
        """Whether an event that no listener received is missing here."""
        is_expected = self._viewer().expects(event, self._index.head) is not None
        return is_expected and not SnapshotCover(self._history, self._index, self._listener).covers(event)

    def _check_cache(self) -> None:
        role, index = self._roles[max(self._roles)], self._index
        viewer = ExpectedViewer(self._listener.user_id, role, only_status=False, projects=self._projects)
        final = self._history.final
        seen = {facts.task_id: facts for facts in final if viewer.sees(index.people_of(facts), index.head)}
        cached = {facts.task_id: facts for facts in Cache.of(self._listener) if self._concerns(facts.task_id)}
        for task_id in seen.keys() | cached.keys():
            if seen.get(task_id) != cached.get(task_id):
                self._add_finding(Fault.WRONG, _difference(task_id, seen.get(task_id), cached.get(task_id)))

    def _concerns(self, task_id: UUID) -> bool:
        return self._history.whole or task_id in self._index.tasks()

    def _viewer(self) -> ExpectedViewer:
        role = self._roles.get(self._version, _UNKNOWN_ROLE)
        return ExpectedViewer(self._listener.user_id, role, self._listener.only_status, self._projects)

    def _add_finding(self, fault: Fault, what: str) -> None:
        self._report.note(fault, self._where, what)


def _differences(item: Item, event: TaskEvent) -> Iterator[str]:
    """The values of an item that are not those of the event."""
    compared: dict[str, tuple[object, object]] = {"task": (item.task_id, event.task_id), "time": (item.at, event.at)}
    if item.kind is ItemKind.CHANGED:
        compared["changes"] = item.changes, event.changes
    if item.kind is ItemKind.MOVED:
        compared["statuses"] = (item.from_status, item.to_status), (event.from_status, event.to_status)
    for name, (found, expected) in compared.items():
        if found != expected:
            yield f"wrong {name}: {found}, not {expected}"
    if item.task is not None and item.task.version < event.version:
        yield f"an old version: {item.task.version}, not {event.version} ({', '.join(event.changes)})"


def _difference(task_id: UUID, seen: TaskFacts | None, cached: TaskFacts | None) -> str:
    there = f"at version {seen.version}" if seen else "not visible"
    here = f"at version {cached.version}" if cached else "missing"
    return f"task {task_id} is {there}, but in the client's cache it is {here}"
