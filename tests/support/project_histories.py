"""Correct histories with projects: users join, leave and get other roles, and their listeners resync."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from domain.events import LoggedEvent, MembershipEvent, TaskEvent
from domain.project import ProjectRole
from domain.user import Role
from tests.support.histories import World, an_item, cursor
from verification.expected_visibility import ExpectedViewer
from verification.history import History, Item, ItemKind, Listener, MembershipWrite, RecordedConnection, TaskFacts
from verification.memberships import NO_ROLES, roles_over_time


class ProjectWorld(World):
    """One project. A manager makes all changes; the owner of the tasks is a member, and `guest` joins and leaves."""

    def __init__(self, seed: int = 1) -> None:
        super().__init__(seed)
        self.project, self.guest, self.actor = (uuid4() for _ in range(3))
        self.roles |= {self.guest: {1: Role.USER}, self.actor: {1: Role.USER}}
        self.membership_writes: list[MembershipWrite] = []
        self.set_role(self.actor, ProjectRole.MANAGER)
        self.set_role(self.owner, ProjectRole.MEMBER)

    @property
    def people(self) -> dict[str, UUID]:
        """The listeners."""
        names = ("owner", "worker", "moderator", "outsider", "guest")
        return {name: getattr(self, name) for name in names}

    def set_role(self, user_id: UUID, role: ProjectRole | None) -> int:
        """A user joins, leaves or gets another role; returns the position of the event."""
        event = MembershipEvent(user_id, self.project, self.actor, self._now(), None, role)
        self.log.append(LoggedEvent(len(self.log) + 1, event))
        self.membership_writes.append(MembershipWrite(user_id, self.project, role, acked=len(self.log) + 0.4))
        return len(self.log)

    def in_project(self) -> UUID:
        """A new task of the project."""
        return self.create(project_id=self.project)

    def busy(self, times: int = 60) -> "ProjectWorld":
        """All kinds of changes, at random."""
        self.in_project()
        while len(self.log) < times:
            task_id = self.random.choice([*self.tasks])
            self.random.choice([*self._changes(task_id), self.in_project, self._change_role, self._transfer])()
        return self

    def _transfer(self) -> None:
        task_id = self.random.choice([*self.tasks])
        self.transfer(task_id, None if self._project_of[task_id] else self.project)

    def history(self, *, cut_at: Sequence[int] = ()) -> History:
        """What all listeners received, with reconnects after these positions."""
        listeners = [self._listener(name, user_id, cut_at) for name, user_id in self.people.items()]
        moves = self._listener("moves", self.guest, cut_at, only_status=True)
        return History(
            writes=self.writes,
            log=self.log,
            listeners=[*listeners, moves],
            roles=self.roles,
            final=list(self.tasks.values()),
            membership_writes=self.membership_writes,
            final_members={user_id: roles.last for user_id, roles in roles_over_time(self.log).items()},
        )

    def _change_role(self) -> None:
        self.set_role(self.guest, self.random.choice((None, *ProjectRole)))

    def _listener(self, name: str, user_id: UUID, cut_at: Sequence[int], *, only_status: bool = False) -> Listener:
        projects = roles_over_time(self.log).get(user_id, NO_ROLES)
        viewer = ExpectedViewer(user_id, self.roles[user_id][1], only_status, projects)
        listener = Listener(name, user_id, only_status, [RecordedConnection(0.0, cursor(0), ())])
        for logged in self.log:
            listener.connections[-1].items += self._items(logged, viewer)
            if logged.position in cut_at:
                listener.connections.append(RecordedConnection(0.0, cursor(logged.position)))
        return listener

    def _items(self, logged: LoggedEvent, viewer: ExpectedViewer) -> list[Item]:
        event = logged.event
        if isinstance(event, MembershipEvent) and event.user_id == viewer.user_id:
            return [self.resync(logged.position, viewer)]
        kind = viewer.expects(event, logged.position) if isinstance(event, TaskEvent) else None
        return [an_item(logged.position, event, kind)] if isinstance(event, TaskEvent) and kind is not None else []

    def resync(self, position: int, viewer: ExpectedViewer) -> Item:
        """A resync, after which the listener has read its lists."""
        snapshot = self._visible(position, viewer)
        at = self.log[position - 1].event.at  # type: ignore[union-attr]
        return Item(cursor(position), ItemKind.RESYNC, at, float(position), reason="ACCESS", snapshot=snapshot)

    def _visible(self, position: int, viewer: ExpectedViewer) -> tuple[TaskFacts, ...]:
        """The tasks that a viewer sees at a position."""
        found: dict[UUID, TaskFacts] = {}
        for logged in self.log[:position]:
            event = logged.event
            if not isinstance(event, TaskEvent):
                continue
            found.pop(event.task_id, None)
            people = event.after
            if people is not None and event.to_status is not None and viewer.sees(people, position):
                found[event.task_id] = TaskFacts(
                    event.task_id, event.version, event.to_status, event.title, people.owner_id, people.assignee_id
                )
        return tuple(found.values())
