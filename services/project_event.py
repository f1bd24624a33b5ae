"""Events of changes of a project, and of a user's role in it."""

from uuid import UUID

from domain.events import MembershipEvent, ProjectChange, ProjectEvent
from domain.project import ProjectRole
from persistence.models import LabelRow, ProjectRow
from persistence.unit_of_work import UnitOfWork


def role_changed(
    uow: UnitOfWork,
    project_id: UUID,
    user_id: UUID,
    role: ProjectRole | None,
    *,
    previous: ProjectRole | None = None,
    actor_id: UUID | None = None,
) -> MembershipEvent:
    """The event by which processes learn the new role; None: the user is not a member any more.

    *previous* is the role before; None: the user was not a member. *actor_id* is the user who did it, if that is not
    the actor of the unit of work.

    The project must be locked or new: so the event is in order with those of its tasks.
    """
    return MembershipEvent(
        user_id=user_id,
        project_id=project_id,
        actor_id=actor_id or uow.actor.user_id,
        at=uow.now,
        request_id=uow.request_id,
        role=role,
        previous_role=previous,
        mutation_id=uow.mutation_id,
    )


def project_changed(uow: UnitOfWork, project: ProjectRow, change: ProjectChange) -> ProjectEvent:
    """The event of a change of a locked or new project."""
    return _event(uow, project.id, change, version=project.version)


def label_changed(uow: UnitOfWork, label: LabelRow, change: ProjectChange) -> ProjectEvent:
    """The event of a change of a label of a locked project."""
    return _event(uow, label.project_id, change, version=label.version, label_id=label.id)


def ranks_changed(uow: UnitOfWork, project_id: UUID) -> ProjectEvent:
    """The event of new ranks for several tasks of a project, whose counter is locked."""
    return _event(uow, project_id, ProjectChange.RANKS)


def _event(
    uow: UnitOfWork,
    project_id: UUID,
    change: ProjectChange,
    *,
    version: int | None = None,
    label_id: UUID | None = None,
) -> ProjectEvent:
    return ProjectEvent(
        project_id=project_id,
        change=change,
        actor_id=uow.actor.user_id,
        at=uow.now,
        request_id=uow.request_id,
        version=version,
        label_id=label_id,
        mutation_id=uow.mutation_id,
    )
