"""What an event should mean to somebody: worked out anew from the policy, apart from the code that is judged."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.actor import Actor
from domain.events import People, TaskEvent
from domain.policy import Action, TaskPeople, may
from domain.user import Role
from verification.history import Kind


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody in a role, and whether they asked for moves only."""

    user_id: UUID
    role: Role
    only_status: bool

    def sees(self, people: TaskPeople | None) -> bool:
        """Whether the policy lets them see a task of these people."""
        actor = Actor(self.user_id, self.role, None, 0)
        return people is not None and may(actor, Action.READ_TASK, people)

    def expects(self, event: TaskEvent) -> Kind | None:
        """What they are to be told of an event; None: nothing."""
        if self.sees(event.after):
            return self._expects_seen(event)
        if not self.sees(event.before):
            return None
        return Kind.DELETED if event.deleted else Kind.GONE

    def may_hear(self, event: TaskEvent) -> bool:
        """Whether it would be no secret to them."""
        return self.sees(event.before) or self.sees(event.after)

    def _expects_seen(self, event: TaskEvent) -> Kind | None:
        if not self.only_status:
            return Kind.CHANGED
        return Kind.MOVED if event.changed_status else None


def people_of(facts: Any) -> People:
    """Whose task it is."""
    return People(facts.owner_id, facts.assignee_id)
