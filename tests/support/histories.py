"""Correct histories for tests to damage: a log of some tasks, and listeners who received all of it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID, uuid4

from domain.events import AccessChange, AccessEvent, LoggedEvent, People, TaskChange, TaskEvent
from domain.stream_cursor import StreamCursor
from domain.task import FOLLOWERS, TaskStatus
from domain.user import Role
from verification.expected_visibility import ExpectedViewer
from verification.history import History, Item, ItemKind, Listener, RecordedConnection, TaskFacts, Write

EPOCH = "one"
START = datetime(2026, 11, 23, tzinfo=UTC)


class World:
    """Writes its own log, one position after another; `history` is what correct listeners would have received."""

    def __init__(self, seed: int = 1) -> None:
        self.random = Random(seed)
        self.owner, self.worker, self.moderator, self.outsider = (uuid4() for _ in range(4))
        self.actor = self.owner
        """Who makes all changes."""
        self.log: list[LoggedEvent] = []
        self.writes: list[Write] = []
        self.tasks: dict[UUID, TaskFacts] = {}
        self.deleted: list[TaskFacts] = []
        """Deleted tasks, with the versions of their deletions."""
        self._project_of: dict[UUID, UUID | None] = {}
        self.roles: dict[UUID, dict[int, Role]] = {
            self.owner: {1: Role.USER},
            self.worker: {1: Role.USER},
            self.moderator: {1: Role.MODERATOR},
            self.outsider: {1: Role.USER},
        }

    def create(self, assignee: UUID | None = None, project_id: UUID | None = None) -> UUID:
        """A task of the owner's, personal or in a project."""
        facts = TaskFacts(uuid4(), 1, TaskStatus.TODO, f"Task {len(self.log)}", self.owner, assignee)
        self._project_of[facts.task_id] = project_id
        self._record(None, facts, TaskChange.CREATED)
        return facts.task_id

    def move(self, task_id: UUID) -> None:
        """Another column."""
        before = self.tasks[task_id]
        status = self.random.choice(sorted(FOLLOWERS[before.status]))
        self._record(before, replace(before, version=before.version + 1, status=status), TaskChange.STATUS)

    def assign(self, task_id: UUID, assignee: UUID | None) -> None:
        """Another assignee."""
        before = self.tasks[task_id]
        self._record(before, replace(before, version=before.version + 1, assignee_id=assignee), TaskChange.ASSIGNEE)

    def delete(self, task_id: UUID) -> None:
        """No task any more."""
        before = self.tasks[task_id]
        self._record(before, None, TaskChange.DELETED)
        self.deleted.append(replace(before, version=before.version + 1))

    def restore(self) -> UUID:
        """The task that was deleted last is there again."""
        facts = self.deleted.pop()
        self._record(None, replace(facts, version=facts.version + 1), TaskChange.RESTORED)
        return facts.task_id

    def transfer(self, task_id: UUID, project_id: UUID | None) -> None:
        """Another project, or none."""
        before = self.tasks[task_id]
        people, self._project_of[task_id] = self._people(before), project_id
        self._record(before, replace(before, version=before.version + 1), TaskChange.PROJECT, people=people)

    def revoke(self, user_id: UUID, session_id: UUID | None) -> None:
        """The end of a session."""
        event = AccessEvent(user_id, AccessChange.SESSION_REVOKED, session_id, None, user_id, self._now(), None)
        self.log.append(LoggedEvent(len(self.log) + 1, event))

    def busy(self, times: int = 60) -> "World":
        """All of it, at random."""
        self.create(self.worker)
        while len(self.log) < times:
            self.random.choice(self._changes(self.random.choice([*self.tasks])))()
        return self

    def _changes(self, task_id: UUID) -> list[Callable[[], object]]:
        other = None if self.tasks[task_id].assignee_id is not None else self.worker
        actions: list[Callable[[], object]] = [
            lambda: self.create(self.random.choice([None, self.worker])),
            lambda: self.move(task_id),
            lambda: self.assign(task_id, other),
        ]
        if self.deleted:
            actions.append(self.restore)
        return [*actions, lambda: self.delete(task_id)] if len(self.tasks) > 4 else actions

    def history(self, *, cut_at: Sequence[int] = ()) -> History:
        """What all listeners received, with reconnects after these positions."""
        people = {"owner": self.owner, "worker": self.worker, "moderator": self.moderator, "outsider": self.outsider}
        listeners = [self._listener(name, user_id, cut_at) for name, user_id in people.items()]
        moves = self._listener("moves", self.moderator, cut_at, only_status=True)
        return History(self.writes, self.log, [*listeners, moves], self.roles, list(self.tasks.values()))

    def _listener(self, name: str, user_id: UUID, cut_at: Sequence[int], *, only_status: bool = False) -> Listener:
        viewer = ExpectedViewer(user_id, self.roles[user_id][1], only_status)
        listener = Listener(name, user_id, only_status, [RecordedConnection(0.0, cursor(0), ())])
        for logged in self.log:
            event = logged.event
            kind = viewer.expects(event, logged.position) if isinstance(event, TaskEvent) else None
            if kind is not None and isinstance(event, TaskEvent):
                listener.connections[-1].items.append(an_item(logged.position, event, kind))
            if logged.position in cut_at:
                listener.connections.append(RecordedConnection(0.0, cursor(logged.position)))
        return listener

    def _record(
        self, before: TaskFacts | None, after: TaskFacts | None, change: TaskChange, *, people: People | None = None
    ) -> None:
        """Add the event; *people* are those before, if they are not those of the task now."""
        facts = after or before
        assert facts is not None
        version = facts.version if after is not None else facts.version + 1
        event = TaskEvent(
            task_id=facts.task_id,
            version=version,
            changes=(change,),
            from_status=before.status if before else None,
            to_status=facts.status,
            title=facts.title,
            before=people or self._people(before),
            after=self._people(after),
            actor_id=self.actor,
            at=self._now(),
            request_id=None,
        )
        position = len(self.log) + 1
        self.log.append(LoggedEvent(position, event))
        self.writes.append(Write(facts.task_id, version, begun=position - 0.4, acked=position + 0.4))
        if after is not None:
            self.tasks[facts.task_id] = after
        else:
            del self.tasks[facts.task_id]

    def _people(self, facts: TaskFacts | None) -> People | None:
        if facts is None:
            return None
        return People(facts.owner_id, facts.assignee_id, self._project_of[facts.task_id])

    def _now(self) -> datetime:
        return START + timedelta(seconds=len(self.log))


def cursor(position: int, version: int = 1) -> StreamCursor:
    """Where one stands."""
    return StreamCursor(EPOCH, position, version)


def an_item(position: int, event: TaskEvent, kind: ItemKind) -> Item:
    """The item of an event before any later change of the task."""
    facts = None
    if kind in (ItemKind.CHANGED, ItemKind.MOVED) and event.after is not None and event.to_status is not None:
        people = event.after
        facts = TaskFacts(
            event.task_id, event.version, event.to_status, event.title, people.owner_id, people.assignee_id
        )
    return Item(
        cursor=cursor(position),
        kind=kind,
        at=event.at,
        received=float(position),
        task_id=event.task_id,
        task=facts,
        changes=event.changes if kind is ItemKind.CHANGED else None,
        from_status=event.from_status if kind is ItemKind.MOVED else None,
        to_status=event.to_status if kind is ItemKind.MOVED else None,
    )
