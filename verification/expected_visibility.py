"""The item that a subscriber should get for an event, derived from the policy without the code under test."""

from dataclasses import dataclass
from uuid import UUID

from domain.actor import Actor
from domain.events import TaskEvent
from domain.policy import Action, TaskPeople, may
from domain.user import Role
from verification.history import ItemKind
from verification.memberships import NO_ROLES, RolesOverTime


@dataclass(frozen=True, slots=True)
class ExpectedViewer:
    """A subscriber with a role, and with roles in projects that change over time.

    *only_status* means a subscription to changes of status only. A position is that of the last change of the roles in
    projects that counts.
    """

    user_id: UUID
    role: Role
    only_status: bool
    projects: RolesOverTime = NO_ROLES

    def sees(self, people: TaskPeople | None, position: int) -> bool:
        """Whether the policy lets the viewer see a task of these users and this project."""
        if people is None:
            return False
        actor = Actor(self.user_id, self.role, None, 0)
        roles = self.projects.at(position)
        return may(actor, Action.READ_TASK, people, roles.get(people.project_id) if people.project_id else None)

    def sees_within(self, people: TaskPeople | None, first: int, last: int) -> bool:
        """Whether the viewer sees the task at position *first*, or after any change of its roles up to *last*."""
        return any(self.sees(people, position) for position in self.moments(first, last))

    def expects(self, event: TaskEvent, position: int) -> ItemKind | None:
        """The kind of item that the viewer must get for an event; None: no item."""
        if self.sees(event.after, position):
            return self._expects_seen(event)
        if not self.sees(event.before, position):
            return None
        return ItemKind.DELETED if event.deleted else ItemKind.GONE

    def expected_kinds(self, event: TaskEvent, first: int, last: int) -> set[ItemKind | None]:
        """The kinds that `expects` has for the event at *first*, and after the changes up to *last*.

        A process applies changes of rights before it delivers the events in front of them.
        """
        return {self.expects(event, position) for position in self.moments(first, last)}

    def moments(self, first: int, last: int) -> list[int]:
        """*first*, and the positions of the later changes of the roles up to *last*."""
        return [first, *self.projects.changes(first, last)]

    def _expects_seen(self, event: TaskEvent) -> ItemKind | None:
        if not self.only_status:
            return ItemKind.CHANGED
        return ItemKind.MOVED if event.changed_status else None
