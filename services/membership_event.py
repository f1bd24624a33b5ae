"""The event of a change of a user's role in a project."""

from uuid import UUID

from domain.events import MembershipEvent
from domain.project import ProjectRole
from persistence.unit_of_work import UnitOfWork


def role_changed(uow: UnitOfWork, project_id: UUID, user_id: UUID, role: ProjectRole | None) -> MembershipEvent:
    """The event by which processes learn the new role; None: the user is not a member any more.

    The project must be locked or new: so the event is in order with those of its tasks.
    """
    return MembershipEvent(
        user_id=user_id,
        project_id=project_id,
        actor_id=uow.actor.user_id,
        at=uow.now,
        request_id=uow.request_id,
        role=role,
    )
