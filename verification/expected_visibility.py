"""The item that a subscriber should get for an event, derived from the policy without the code under test."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.actor import Actor
from domain.events import People, TaskEvent
from domain.policy import Action, TaskPeople, may
from domain.user import Role
from verification.history import ItemKind


@dataclass(frozen=True, slots=True)
class ExpectedViewer:
    """A subscriber with a role; *only_status* means a subscription to changes of status only."""

    user_id: UUID
    role: Role
    only_status: bool

    def sees(self, people: TaskPeople | None) -> bool:
        """Whether the policy lets the viewer see a task of these users."""
        actor = Actor(self.user_id, self.role, None, 0)
        return people is not None and may(actor, Action.READ_TASK, people)

    def expects(self, event: TaskEvent) -> ItemKind | None:
        """The kind of item that the viewer must get for an event; None: no item."""
        if self.sees(event.after):
            return self._expects_seen(event)
        if not self.sees(event.before):
            return None
        return ItemKind.DELETED if event.deleted else ItemKind.GONE

    def may_receive(self, event: TaskEvent) -> bool:
        """Whether the viewer may receive the event."""
        return self.sees(event.before) or self.sees(event.after)

    def _expects_seen(self, event: TaskEvent) -> ItemKind | None:
        if not self.only_status:
            return ItemKind.CHANGED
        return ItemKind.MOVED if event.changed_status else None


def people_of(facts: Any) -> People:
    """The owner and the assignee of a task."""
    return People(facts.owner_id, facts.assignee_id)
