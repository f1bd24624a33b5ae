"""A model of the database: rows, and a log whose events get their positions after their commits."""

from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any
from uuid import UUID

from domain.actor import Actor
from domain.events import (
    AccessChange,
    AccessEvent,
    AccessNews,
    Event,
    LoggedEvent,
    MembershipEvent,
    People,
    TaskChange,
    TaskEvent,
)
from domain.project import ProjectRole
from domain.stored_event import read_logged
from domain.task import TaskStatus
from domain.unknown_events import SkippedEvent, UnknownAccess
from domain.user import Role
from persistence.epoch import DatabaseIdentity, LogServer
from persistence.event_log import Head, Numbered, Observation
from persistence.numbering_floor import LastId, Writers
from tests.simulation.loop import VirtualLoop
from tests.simulation.projects_model import Project, Projects
from tests.simulation.rows_model import AT, FOREVER, Session, Task, Unknown, User, sees
from tests.support.events import published


@dataclass
class Backup:
    """What a restore brings back, or what a standby has."""

    epoch: str
    remembered: int
    was_synchronous: bool
    promoted: int
    log: list[LoggedEvent]
    times: list[float]
    pending: dict[int, tuple[Event, float]]
    trimmed: int
    tasks: dict[UUID, list[Task]]
    projects: dict[UUID, Project]


Recorded = Event | Sequence[Event] | None
"""What a transaction records: one event, several, or nothing."""


class Table:
    """The server: every statement happens at one instant."""

    def __init__(self, loop: VirtualLoop, chance: Random) -> None:
        self._loop = loop
        self._chance = chance
        self.epoch = "epoch0"
        self.epochs = [(0.0, self.epoch)]
        self.timeline = self.remembered = 1
        self.is_synchronous = self.was_synchronous = False
        self.promoted = 0
        self.continued: set[str] = set()
        """The epochs that continued on a promoted standby."""
        self.log: list[LoggedEvent] = []
        self.times: list[float] = []
        self.pending: dict[int, tuple[Event, float]] = {}
        self.writers: set[int] = set()
        self.floor = 0
        self.committed = 0
        self.trimmed = 0
        self.trims: list[tuple[float, int]] = []
        self.users: list[User] = []
        self.sessions: dict[UUID, Session] = {}
        self.tasks: dict[UUID, list[Task]] = {}
        self.shown: dict[UUID, list[tuple[float, People | None]]] = {}
        self.projects = Projects()
        self.history = 0
        self._next_id = 0
        self._locks: dict[UUID, deque[Callable[[], None]]] = {}

    @property
    def is_undecided(self) -> bool:
        """Whether a standby was promoted, and no process has decided yet whether the epoch continues."""
        return self.remembered != self.timeline

    def uuid(self) -> UUID:
        """A new one."""
        return UUID(int=self._chance.getrandbits(128))

    # What statements ask.

    def head(self) -> Head:
        """How far the log reaches."""
        position = len(self.log)
        pending, fingerprint = bool(self._waiting()), self.fingerprint_at(position)
        return Head(self.epoch, position, self.trimmed, pending, True, fingerprint, self.promoted)

    def observe(self, position: int) -> Observation:
        """The head, the server, and the fingerprint at a position."""
        server = LogServer(_at(self.timeline), _at(self.remembered), self.is_synchronous, self.was_synchronous)
        return Observation(self.head(), server, self.fingerprint_at(position))

    def remember(self, seen: Observation) -> None:
        """Remember the server, and that a promotion continues the epoch."""
        if (seen.head.epoch, seen.server.remembered) == (self.epoch, _at(self.remembered)):
            if self.remembered != self.timeline:
                self.promoted = max(self.promoted, seen.head.position)
                self.continued.add(self.epoch)
            self.remembered, self.was_synchronous = self.timeline, seen.server.is_synchronous

    def begin_epoch_on(self, seen: Observation) -> None:
        """Start a new epoch, unless it was done."""
        if seen.head.epoch == self.epoch:
            self.new_epoch()
            self.remembered, self.was_synchronous = self.timeline, seen.server.is_synchronous

    def with_key(self, statement: Callable[..., Any], *arguments: Any) -> tuple[str, Any]:
        """The result of a statement, with the key of the server."""
        return self.observe(0).server.key, statement(*arguments)

    def fingerprint_at(self, position: int) -> int | None:
        """The fingerprint of the event at a position."""
        return self.log[position - 1].fingerprint if 0 < position <= len(self.log) else None

    def _waiting(self) -> list[int]:
        """What waits for its number, as far as it is looked at."""
        return sorted(drawn for drawn in self.pending if drawn >= self.floor)

    def number(self, at_most: int) -> Numbered:
        """Number what is committed, by ascending id."""
        batch: list[LoggedEvent] = []
        for drawn in self._waiting()[:at_most]:
            event, at = self.pending.pop(drawn)
            batch.append(LoggedEvent(len(self.log) + 1, event, self._chance.getrandbits(48)))
            self.log.append(batch[-1])
            self.times.append(at)
        bodies = [published(each) for each in batch]
        return Numbered(self.epoch if batch else "", [read_logged(each) for each in bodies], bodies)

    def last_id(self) -> LastId:
        """The last id that is committed."""
        return LastId(self.epoch, 1, self.committed)

    def open_writers(self) -> Writers:
        """Transactions that have an event id and have not ended."""
        return Writers(frozenset(map(str, self.writers)), is_one_prepared=False)

    def raise_floor(self, last: LastId) -> None:
        """Look no more at what lies before the first that waits, or before what comes next."""
        if last.epoch == self.epoch:
            self.floor = max(self.floor, min([*self._waiting(), last.id + 1]))

    def after(self, position: int, at_most: int) -> list[LoggedEvent]:
        """A page."""
        start = max(position, self.trimmed)
        return [_stored(each) for each in self.log[start : start + at_most]]

    def access_between(self, position: int, up_to: int, at_most: int) -> list[LoggedEvent]:
        """The changes of rights in a range."""
        found = self.log[max(position, self.trimmed) : up_to]
        return [_stored(each) for each in found if isinstance(each.event, AccessNews)][:at_most]

    def shown_since(self, task_id: UUID, since: float) -> list[tuple[float, People | None]]:
        """The people of a task at an instant and after each later change, with the times."""
        shown = self.shown[task_id]
        return shown[max((index for index, (at, _) in enumerate(shown) if at <= since), default=0) :]

    def was_visible(self, task_id: UUID, actor: Actor, since: float) -> bool:
        """Whether an actor could see a task at any time from an instant on."""
        shown = self.shown_since(task_id, since)
        if task_id not in self.projects.project_of or actor.role is not Role.USER:
            return any(sees(actor.role, actor.user_id, people, ()) for _, people in shown)
        return any(
            sees(actor.role, actor.user_id, people, roles)
            for index, (start, people) in enumerate(shown)
            for at, roles in self.projects.since(actor.user_id, max(start, since))
            if index + 1 == len(shown) or at <= shown[index + 1][0]
        )

    def visible(self, actor: Actor, ids: list[UUID] | None = None) -> dict[UUID, Task]:
        """The tasks that an actor sees, all or some of them."""
        rows = [self.tasks[each][-1] for each in (self.tasks if ids is None else ids) if each in self.tasks]
        roles = self.projects.roles(actor.user_id)
        return {row.id: row for row in rows if sees(actor.role, actor.user_id, row.people, roles)}

    def deletions(self, ids: list[UUID]) -> dict[UUID, People]:
        """The people of tasks at their deletion."""
        recorded = [logged.event for logged in self.log] + [event for event, _ in self.pending.values()]
        events = [event for event in recorded if isinstance(event, TaskEvent) and event.after is None]
        return {event.task_id: event.before for event in events if event.task_id in ids and event.before is not None}

    def rights(self, session_id: UUID, with_roles: bool) -> list[tuple[Any, ...]]:
        """The row of a session: expiry, user, role, whether active, the access version, and the roles in projects."""
        session = self.sessions[session_id]
        if session.ended is not None:
            return []
        user = session.user
        row = (FOREVER, user.id, user.role, user.active, user.version, str(user.id))
        roles = [f"{project} {role.value}" for project, role in self.projects.roles(user.id).items()]
        return [(*row, roles) if with_roles else row]

    # What transactions do.

    def transaction(
        self, row: UUID, record: Callable[[], Recorded], hold: float, on_commit: Callable[[Event], None] | None
    ) -> None:
        """Lock a row, then draw an id and record, then, a while later, commit; or, with nothing recorded, give up."""
        if row in self._locks:
            self._locks[row].append(lambda: self._locked(row, record, hold, on_commit))
        else:
            self._locks[row] = deque()
            self._locked(row, record, hold, on_commit)

    def _locked(
        self, row: UUID, record: Callable[[], Recorded], hold: float, on_commit: Callable[[Event], None] | None
    ) -> None:
        self._next_id += 1
        self.writers.add(self._next_id)
        self._loop.call_later(hold, self._commit, row, record, self._next_id, self.history, on_commit)

    def _commit(
        self,
        row: UUID,
        record: Callable[[], Recorded],
        id: int,
        history: int,
        on_commit: Callable[[Event], None] | None,
    ) -> None:
        recorded = record() if history == self.history else None
        self.writers.discard(id)
        events = recorded if isinstance(recorded, Sequence) else [recorded] if recorded is not None else []
        for event in events:
            drawn = id if recorded is event else self._draw()
            self.committed = max(self.committed, drawn)
            self.pending[drawn] = (event, self._loop.now)
        for event in events:
            if on_commit is not None:
                on_commit(event)
        waiting = self._locks[row]
        if waiting:
            waiting.popleft()()
        else:
            del self._locks[row]

    def _draw(self) -> int:
        self._next_id += 1
        return self._next_id

    def change_task(self, task_id: UUID, by: UUID, change: TaskChange, value: object) -> TaskEvent | None:
        """A new version of a task, and what happened; None: it cannot happen now."""
        versions = self.tasks.get(task_id, [Task(task_id, 0, TaskStatus.TODO, None)])
        old = versions[-1]
        here = self.projects.project_of.get(task_id)
        there = value.project_id if isinstance(value, People) else here
        if not self._is_possible(old, change, value, {here, there} - {None}) or (
            change is TaskChange.PROJECT and here == there
        ):
            return None
        new = replace(old, version=old.version + 1, **self._changed(versions, change, value))
        if there is not None or here is not None:
            self.projects.project_of[task_id] = there
        self.tasks[task_id] = [*versions, new]
        self.shown.setdefault(task_id, []).append((self._loop.now, new.people))
        return TaskEvent(
            task_id=task_id,
            version=new.version,
            changes=(change,),
            from_status=None if old.people is None else old.status,
            to_status=new.status,
            title="",
            before=old.people,
            after=new.people,
            actor_id=by,
            at=AT,
            request_id=None,
        )

    def _is_possible(self, old: Task, change: TaskChange, value: object, projects: Collection[UUID | None]) -> bool:
        """Whether a task in this version can change so: the projects are those that it is in before and after."""
        if not all(self.projects.allows_changes(each) for each in projects if each is not None):
            return False
        if value is old.status:
            return False
        if change is TaskChange.CREATED:
            return old.version == 0
        return (old.people is None) is (change is TaskChange.RESTORED) and old.version > 0

    def _changed(self, versions: Sequence[Task], change: TaskChange, value: Any) -> dict[str, Any]:
        """What is new in the next version of a task."""
        people = versions[-1].people
        match change:
            case TaskChange.STATUS:
                return {"status": value}
            case TaskChange.ASSIGNEE:
                return {"people": people and replace(people, assignee_id=value)}
            case TaskChange.PROJECT:
                return {"people": people and replace(people, project_id=value.project_id)}
            case TaskChange.DELETED:
                return {"people": None}
            case TaskChange.RESTORED:
                return {"people": versions[-2].people}
        return {"people": value}

    def change_access(self, user: User, change: AccessChange, value: Session | Role | None) -> AccessEvent | None:
        """Change the rights of a user, and record the event."""
        now, session, spared = self._loop.now, None, None
        match change:
            case AccessChange.SESSION_REVOKED:
                assert isinstance(value, Session)
                if value.ended is not None:
                    return None
                value.ended, session = now, value.id
            case AccessChange.SESSIONS_REVOKED | AccessChange.PASSWORD_CHANGED:
                assert value is None or isinstance(value, Session)
                self._end_sessions(user, spare=value)
                spared = value.id if value is not None else None
            case _:
                if user.active is (change is AccessChange.ENABLED):
                    return None
                if change is AccessChange.ROLE_CHANGED:
                    assert isinstance(value, Role)
                    user.role = value
                else:
                    user.active = change is AccessChange.ENABLED
                    self._end_sessions(user, spare=None)
                user.ended[user.version] = now
                user.version += 1
        return AccessEvent(user.id, change, session, spared, user.id, AT, None)

    def change_membership(self, user: User, project_id: UUID, role: ProjectRole | None) -> MembershipEvent | None:
        """Give a user a role in a project, or end the membership, and record the event."""
        if not self.projects.set_role(user.id, project_id, role, self._loop.now):
            return None
        return MembershipEvent(user.id, project_id, user.id, AT, None, role)

    def delete_project(self, project_id: UUID, by: UUID) -> Sequence[Event]:
        """Delete a project with its tasks and memberships, and record all events."""
        if not self.projects.allows_changes(project_id):
            return []
        tasks = [task_id for task_id, project in self.projects.project_of.items() if project == project_id]
        deleted = [self.change_task(each, by, TaskChange.DELETED, None) for each in tasks]
        members = self.projects.delete(project_id, self._loop.now)
        ended = [MembershipEvent(user_id, project_id, by, AT, None, None) for user_id in members]
        return [*ended, *(each for each in deleted if each is not None)]

    def change_unknown(self, user: User, kind: Unknown) -> UnknownAccess | SkippedEvent:
        """Something that only a newer version understands."""
        match kind:
            case Unknown.EVENT:
                return SkippedEvent("OF_TOMORROW")
            case Unknown.OF_ALL_USERS:
                return UnknownAccess(None)
            case Unknown.ROLE:
                user.role = Role.MODERATOR if user.role is Role.USER else Role.USER
                user.ended[user.version] = self._loop.now
                user.version += 1
        return UnknownAccess(user.id)

    def _end_sessions(self, user: User, spare: Session | None) -> None:
        for each in user.sessions:
            if each is not spare and each.ended is None:
                each.ended = self._loop.now

    def sign_in(self, user: User) -> Session | None:
        """A new session, unless the user is locked out."""
        if not user.active:
            return None
        session = Session(self.uuid(), user)
        user.sessions.append(session)
        self.sessions[session.id] = session
        return session

    # What operators do, and disasters.

    def trim(self, up_to: int) -> None:
        """Remove the beginning of the log."""
        self.trimmed = max(self.trimmed, min(up_to, len(self.log)))
        self.trims.append((self._loop.now, self.trimmed))

    def new_epoch(self) -> None:
        """History counts anew."""
        self.epoch = f"epoch{len(self.epochs)}"
        self.floor = self.promoted = 0
        self.epochs.append((self._loop.now, self.epoch))

    def back_up(self) -> Backup:
        """Keep what there is now."""
        tasks = {task_id: list(versions) for task_id, versions in self.tasks.items()}
        projects = dict(self.projects.rows)
        log, times, pending = list(self.log), list(self.times), dict(self.pending)
        state = (self.epoch, self.remembered, self.was_synchronous, self.promoted)
        return Backup(*state, log, times, pending, self.trimmed, tasks, projects)

    def promote(self, standby: Backup | None = None) -> None:
        """Promote a standby: one that has everything, or one that has this state. Open transactions are lost."""
        if standby is None:
            self.history += 1
        else:
            self._return_to(standby)
            self.epoch, self.remembered, self.promoted = standby.epoch, standby.remembered, standby.promoted
            self.was_synchronous = standby.was_synchronous
            self.floor = 0
        self.timeline += 1

    def restore(self, backup: Backup) -> None:
        """Restore an earlier state of the log, and start a new epoch."""
        self._return_to(backup)
        self.new_epoch()

    def _return_to(self, backup: Backup) -> None:
        """Return to an earlier state of the log; users and sessions stay. Open transactions are lost."""
        now = self._loop.now
        gone = [Task(each, 0, TaskStatus.TODO, None) for each in self.tasks if each not in backup.tasks]
        self.tasks = {task_id: list(versions) for task_id, versions in backup.tasks.items()}
        self.tasks |= {each.id: [each] for each in gone}
        for task_id, versions in self.tasks.items():
            people = versions[-1].people or next((each.people for each in reversed(versions) if each.people), None)
            self.projects.project_of[task_id] = people.project_id if people is not None else None
            self.shown[task_id].append((now, versions[-1].people))
        self.projects.restore(backup.projects, now)
        self.log, self.times = list(backup.log), list(backup.times)
        self.pending, self.trimmed = dict(backup.pending), backup.trimmed
        self.history += 1


def _stored(logged: LoggedEvent) -> LoggedEvent:
    """An event as a statement returns it: it is decoded by the process that needs it."""
    return read_logged(published(logged))


def _at(timeline: int) -> DatabaseIdentity:
    return DatabaseIdentity(1, timeline, 1, 1)
