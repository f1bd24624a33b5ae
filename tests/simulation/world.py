"""One history: processes, clients, users and faults, from one seed."""

from collections.abc import Callable
from contextlib import suppress
from itertools import count
from random import Random
from typing import Any
from uuid import UUID

from domain.errors import Unauthenticated
from domain.events import AccessChange, AccessEvent, Event, MembershipEvent, People, TaskChange, TaskEvent
from domain.project import ProjectRole
from domain.stream_cursor import StreamCursor, epoch_of
from domain.task import TaskStatus
from domain.user import Role
from streaming.replay import RecentEvents
from streaming.visibility import StreamFilter
from tests.simulation.checks import Broken, Checks
from tests.simulation.client import Client, Temper
from tests.simulation.database_model import Recorded, Table
from tests.simulation.faults import Faults
from tests.simulation.loop import Machine, VirtualLoop
from tests.simulation.process import Notifiers, Process, StreamRequest
from tests.simulation.rows_model import Session, Unknown, User

SETTLE_SECONDS = 30.0
STATUSES = tuple(TaskStatus)
ROLES = (Role.USER, Role.USER, Role.MODERATOR, Role.ADMIN)
CHANGES = (
    *(TaskChange.STATUS, TaskChange.STATUS, TaskChange.ASSIGNEE, TaskChange.ASSIGNEE),
    *(TaskChange.PROJECT, TaskChange.DELETED, TaskChange.RESTORED),
)
RIGHTS = (
    AccessChange.SESSION_REVOKED,
    AccessChange.SESSION_REVOKED,
    AccessChange.SESSIONS_REVOKED,
    AccessChange.PASSWORD_CHANGED,
    AccessChange.ROLE_CHANGED,
    AccessChange.ROLE_CHANGED,
    AccessChange.DISABLED,
    AccessChange.ENABLED,
)


class World:
    """The state of a history, and its steps."""

    def __init__(self, seed: int, say: Callable[[str], None] | None = None) -> None:
        self.chance = chance = Random(seed)
        self._say = say
        self.over = False
        self.frames = self.at_once = 0  # sent, and of these without waking a task
        self.loop = VirtualLoop()
        self.table = Table(self.loop, Random(chance.random()))
        self.table.is_synchronous = chance.random() < 0.5
        self.lists_have_fingerprints = chance.random() < 0.8  # without them, their cursors have format 1
        self.people = Machine("clients")
        self.checks = Checks(self)
        self._names: dict[UUID, str] = {}
        self._numbers = count(1)
        self.hurt = chance.choice((0.0, 0.1, 0.5))
        self.sluggish = chance.choice((0.0, 0.0, 0.02, 0.2))
        self.queue_size = chance.choice((1, 2, 4, 256))
        self.kept = chance.choice((0, 3, 2_000))
        self.notifiers = Notifiers(self.loop, Random(chance.random()), self.hurt)
        self.users = [self._user(role) for role in chance.sample(ROLES, chance.randint(2, 4))]
        self.table.users = self.users
        self.projects = [self._project() for _ in range(chance.choice((0, 0, 1, 1, 2)))]
        self.processes = [self.new_process() for _ in range(chance.choice((1, 2, 2, 2, 3)))]
        self.clients = [self._client() for _ in range(chance.randint(2, 4))]
        self.faults = Faults(self)

    def say(self, what: str) -> None:
        """Record a line for the reader of the history."""
        if self._say is not None:
            self._say(f"{self.loop.now:8.4f}  {what}")

    def names(self, id: UUID) -> str:
        """The name of a user or an object."""
        return self._names.setdefault(id, f"#{next(self._numbers)}")

    def run(self) -> None:
        """Run the whole history. Raises: Broken: a guarantee was violated."""
        self.say(f"queue size {self.queue_size}, kept {self.kept}, notifier losses {self.hurt}, delays {self.sluggish}")
        for _ in range(self.chance.randint(1, 4)):
            self._change_task(TaskChange.CREATED)
        for process in self.processes:
            self.loop.spawn(process.machine, process.start())
        for client in self.clients:
            self.loop.call_later(self.chance.uniform(0.0, 0.3), self._begin, client)
        end = self._plan()
        self.loop.run_until(end)
        self._heal()
        self._settle()
        self.checks.final()

    # Users, processes and clients.

    def _user(self, role: Role) -> User:
        name = ("alice", "bob", "carol", "dave")[len(self._names)]
        user = User(self.table.uuid(), name, role)
        self._names[user.id] = name
        return user

    def _project(self) -> UUID:
        """A project with some members."""
        project_id = self.table.uuid()
        members = self.chance.sample(self.users, self.chance.randint(0, 2))
        self.table.projects.add(project_id, {each.id: self.chance.choice(list(ProjectRole)) for each in members})
        return project_id

    def _begin(self, client: Client) -> None:
        self.loop.spawn(self.people, client.run())

    def new_process(self) -> Process:
        """A process that is not started."""
        chance = Random(self.chance.random())
        process = Process(
            f"P{next(self._numbers)}",
            self.loop,
            self.table,
            self.notifiers,
            chance,
            queue_size=self.queue_size,
            sluggish=self.sluggish,
        )
        process.stream._replay.recent = RecentEvents(self.kept)
        process.on_listening = self._listening
        return process

    def _client(self) -> Client:
        chance = Random(self.chance.random())
        user = chance.choice(self.users)
        session = self.table.sign_in(user)
        assert session is not None
        keeps = chance.random() < 0.6
        stream_request = StreamRequest(None, only_status=False) if keeps else self._stream_request(chance)
        pace = chance.choice((0.0, 0.0, 0.0, 0.1, 0.2))
        temper = Temper(pace, chance.choice((1, 3)), chance.choice((1.2, 1.2, 60.0)), keeps)
        client = Client(self, f"C{next(self._numbers)}", user, stream_request, temper, chance, session)
        self._know(client)
        return client

    def _stream_request(self, chance: Random) -> StreamRequest:
        target = chance.choice(self.users).id
        to = frozenset(chance.sample(STATUSES, 2))
        return chance.choice(
            (
                StreamRequest(None, only_status=False),
                StreamRequest(None, only_status=True),
                StreamRequest(StreamFilter(owner_id=target), only_status=False),
                StreamRequest(StreamFilter(assignee_id=target), only_status=chance.random() < 0.5),
                StreamRequest(StreamFilter(to=to), only_status=False),
                StreamRequest(StreamFilter(project_id=chance.choice([None, *self.projects])), only_status=False),
            )
        )

    def _know(self, client: Client) -> None:
        for process in self.processes:
            process.stream_requests[client.name] = client.stream_request

    def open_processes(self) -> list[Process]:
        """The processes to which a client may connect."""
        return [each for each in self.processes if each.open]

    async def list_tasks(self, process: Process, session: Session) -> tuple[StreamCursor, dict[UUID, int]]:
        """The result of a list query.

        Raises:
            Unauthenticated: the session is over.
        """
        actor = await process.vouches_for(session)
        if actor is None:
            raise Unauthenticated("Not authenticated")
        async with process.line.log() as log:
            head = await log.head()
        rows = await process.line.ask(self.table.visible, actor)
        fingerprint = head.fingerprint if self.lists_have_fingerprints else None
        epoch = epoch_of(head.epoch, head.promoted, fingerprint)
        cursor = StreamCursor(epoch, head.position, actor.access_version, fingerprint)
        return cursor, {row.id: row.version for row in rows.values()}

    def _listening(self, name: str) -> None:
        client = next(each for each in self.clients if each.name == name)
        if client.cursor is None and not client.temper.keeps:
            client.since = self.loop.now
            client.received.clear()

    # Steps.

    def _plan(self) -> float:
        """Schedule all steps; returns the end."""
        chance = self.chance
        end = chance.uniform(0.6, 2.0)
        for _ in range(chance.randint(4, 16)):
            self._at(chance.uniform(0.0, end), self._change_task, chance.choice((*CHANGES, TaskChange.CREATED)))
        for _ in range(chance.choice((0, 1, 1, 2))):
            self._at(chance.uniform(0.2, end), self._change_access)
        for _ in range(chance.choice((0, 1, 2, 4)) if self.projects else 0):
            self._at(chance.uniform(0.1, end), self._change_project)
        self._plan_faults(end)
        for _ in range(chance.choice((0, 2))):
            self._at(chance.uniform(0.1, end), self._probe)
        for _ in range(chance.choice((0, 0, 0, 1, 2))):
            self._at(chance.uniform(0.1, end), self._change_unknown)
        return end

    def _plan_faults(self, end: float) -> None:
        chance = self.chance
        if chance.random() < 0.1:
            self._at(chance.uniform(0.1, end), self.faults.fail_over_unnoticed)
            return
        for fault in chance.sample(self.faults.all(), chance.choice((0, 1, 1, 2, 3))):
            for _ in range(chance.choice((1, 1, 2))):
                self._at(chance.uniform(0.1, end), fault)

    def _at(self, when: float, what: Callable[..., None], *arguments: object) -> None:
        self.loop.call_at(when, what, *arguments)

    def _change_task(self, change: TaskChange) -> None:
        chance, table = self.chance, self.table
        by = chance.choice(self.users)
        if change is TaskChange.CREATED or not table.tasks:
            change, task_id = TaskChange.CREATED, table.uuid()
            project_id = chance.choice([None, *self.projects])
            value: object = People(by.id, chance.choice([None, *(each.id for each in self.users)]), project_id)
        else:
            task_id = chance.choice(list(table.tasks))
            value = self._value(change, by.id)
        hold = chance.choice((0.001, 0.01, chance.uniform(0.0, 0.3)))
        give_up = chance.random() < 0.1
        process = chance.choice(self.processes)

        def record() -> Recorded:
            return None if give_up else table.change_task(task_id, by.id, change, value)

        table.transaction(task_id, record, hold, lambda event: self._committed(process, event))

    def _value(self, change: TaskChange, by: UUID) -> object:
        if change is TaskChange.STATUS:
            return self.chance.choice(STATUSES)
        if change is TaskChange.PROJECT:
            return People(by, None, self.chance.choice([None, *self.projects]))  # only the project counts
        return self.chance.choice([None, *(each.id for each in self.users)])

    def _change_access(self) -> None:
        user = self.chance.choice(self.users)
        change = self.chance.choice(RIGHTS)
        value: Any = None
        if change is AccessChange.ROLE_CHANGED:
            value = Role.MODERATOR if user.role is Role.USER else Role.USER
        elif change is AccessChange.SESSION_REVOKED or self.chance.random() < 0.5:
            value = self.chance.choice(user.sessions) if user.sessions else None
        if value is None and change is AccessChange.SESSION_REVOKED:
            return
        process = self.chance.choice(self.processes)
        self.table.transaction(
            user.id,
            lambda: self.table.change_access(user, change, value),
            self.chance.uniform(0.0, 0.05),
            lambda event: self._committed(process, event),
        )

    def _change_project(self) -> None:
        """A user joins, leaves or gets another role; or a project is archived or deleted."""
        chance, table, project_id = self.chance, self.table, self.chance.choice(self.projects)
        user, process = chance.choice(self.users), chance.choice(self.processes)
        role = chance.choice((None, *ProjectRole))
        kind = chance.random()

        def record() -> Recorded:
            if kind < 0.04:
                return table.delete_project(project_id, user.id)
            if kind < 0.12:
                table.projects.archive(project_id)
                return None
            return table.change_membership(user, project_id, role)

        hold = chance.choice((0.001, 0.01, chance.uniform(0.0, 0.3)))
        table.transaction(project_id, record, hold, lambda event: self._committed(process, event))

    def _change_unknown(self) -> None:
        user, kind = self.chance.choice(self.users), self.chance.choice(list(Unknown))
        process = self.chance.choice(self.processes)
        self.table.transaction(
            user.id,
            lambda: self.table.change_unknown(user, kind),
            self.chance.uniform(0.0, 0.05),
            lambda event: self._committed(process, event),
        )

    def _committed(self, process: Process, event: Event) -> None:
        self.say(f"committed: {self.describe(event)}")
        context = process.machine.context
        self.loop.call_later(self.chance.uniform(0.0002, 0.002), process.line.acknowledged, context=context)

    def describe(self, event: Event) -> str:
        """An event in a line."""
        if isinstance(event, TaskEvent):
            people = f"{self._sides(event.before)} -> {self._sides(event.after)}"
            return f"{event.changes[0]} of {self.names(event.task_id)} v{event.version} {people}, {event.to_status}"
        if isinstance(event, AccessEvent):
            return f"{event.change} of {self.names(event.user_id)}"
        if isinstance(event, MembershipEvent):
            return f"{self.names(event.user_id)} is {event.role} in {self.names(event.project_id)}"
        return str(event)

    def _sides(self, people: People | None) -> str:
        if people is None:
            return "no one"
        assignee = f"+{self.names(people.assignee_id)}" if people.assignee_id else ""
        project = f" in {self.names(people.project_id)}" if people.project_id else ""
        return self.names(people.owner_id) + assignee + project

    def _probe(self) -> None:
        client, process = self.chance.choice(self.clients), self.chance.choice(self.processes)
        self.loop.spawn(self.people, self._ask(client.session, process))

    async def _ask(self, session: Session, process: Process) -> None:
        task = self.loop.spawn(process.machine, self._answered(session, process))
        with suppress(Exception):
            await task

    async def _answered(self, session: Session, process: Process) -> None:
        actor = await process.vouches_for(session)
        if actor is not None:
            try:
                self.checks.allowed(session, actor.role, actor.access_version)
            except Broken as broken:
                self.loop.failures.append(str(broken))

    # The end.

    def _heal(self) -> None:
        self.say("all faults end")
        for process in self.processes:
            self.faults.thaw(process)
            process.line.cut = False
        self.notifiers.silent = False

    def _settle(self) -> None:
        end = self.loop.now + SETTLE_SECONDS
        while not self._settled():
            if self.loop.failures:
                raise Broken("; ".join(self.loop.failures))
            if self.loop.now > end:
                raise Broken("work never ends: " + "; ".join(self._restless()))
            self.loop.run_until(self.loop.now + 0.1)
        if self.loop.failures:
            raise Broken("; ".join(self.loop.failures))

    def _settled(self) -> bool:
        is_busy = self.table.pending or self.table._locks or self.table.is_undecided
        return not is_busy and not self._restless()

    def _restless(self) -> list[str]:
        clients = [each for each in self.clients if each.user.active and not self._is_at_the_end(each)]
        processes = [each for each in self.processes if not self._knows_all(each)]
        return [
            *(f"{each.name} stands at {each.cursor}" for each in clients),
            *(f"{each.name} stands at {each.stream.position}" for each in processes),
        ]

    def _knows_all(self, process: Process) -> bool:
        stream = process.stream
        return stream.lease.fresh and (stream.epoch, stream.position) == (self.table.epoch, len(self.table.log))

    def _is_at_the_end(self, client: Client) -> bool:
        cursor = client.cursor
        return (
            cursor is not None
            and client.loaded
            and client.wire is not None
            and (cursor.epoch.partition("@")[0], cursor.position) == (self.table.epoch, len(self.table.log))
            and cursor.access_version == client.user.version
        )
