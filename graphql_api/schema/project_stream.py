"""GraphQL types for the stream's items about projects, their labels and their members."""

from dataclasses import dataclass
from typing import Self
from uuid import UUID

import strawberry

from domain.events import MembershipEvent, ProjectEvent
from domain.project import ProjectRole as Role
from graphql_api.schema.enums import ProjectChange, ProjectRole
from graphql_api.schema.label import Label
from graphql_api.schema.object_fields import object_field
from graphql_api.schema.project import Project
from graphql_api.schema.resolves_to import Expression, Reference
from graphql_api.schema.stream import TaskStreamItem
from graphql_api.schema.task_history import made_by
from graphql_api.schema.user import User
from graphql_api.schema.viewer import BY_RELATION, FOR_ALL_USERS
from persistence.queries.label import LABELS
from persistence.queries.project import projects


@dataclass(frozen=True, slots=True)
class ProjectOfEvent:
    """What an event refers to, as a user with the role `viewer_role` in the project sees it."""

    project_id: UUID
    viewer_role: Role | None
    actor_id: UUID
    user_id: UUID | None = None
    label_id: UUID | None = None

    @classmethod
    def of(cls, event: ProjectEvent | MembershipEvent, role: Role | None) -> Self:
        """The row of an event."""
        if isinstance(event, MembershipEvent):
            return cls(event.project_id, role, event.actor_id, user_id=event.user_id)
        return cls(event.project_id, role, event.actor_id, label_id=event.label_id)


_PROJECT = object_field(
    FOR_ALL_USERS,
    "The current project, which may be newer than this item; null if it was deleted since.",
    Reference(Project, "project", "project_id", projects),
)
_OWN_ROLE = object_field(
    BY_RELATION,
    "Your current role in the project.",
    Expression(lambda _, viewer_role: viewer_role, ("viewer_role",)),
)


@strawberry.type(description="A project was created, changed, archived or deleted, or one of its labels was changed.")
class ProjectChanged(TaskStreamItem):
    """A change of a project."""

    row: strawberry.Private[ProjectOfEvent]
    project_change: ProjectChange = strawberry.field(description="What was changed.")
    label_id: strawberry.ID | None = strawberry.field(description="The id of the label, if a label was changed.")

    project = _PROJECT
    label = object_field(
        FOR_ALL_USERS,
        "The current label, which may be newer than this item; null if it was deleted since, or if no label was "
        "changed.",
        Reference(Label, "label", "label_id", LABELS.by_ids),
    )
    by = made_by("actor_id")


@strawberry.type(description="Another user joined a project, left it, or got another role in it.")
class MemberChanged(TaskStreamItem):
    """A change of a membership."""

    row: strawberry.Private[ProjectOfEvent]
    role: ProjectRole | None = strawberry.field(
        description="The role after this change; null if the user is not a member any more."
    )

    project = _PROJECT
    user = object_field(FOR_ALL_USERS, "The user.", Reference(User, "user", "user_id"))
    by = made_by("actor_id")


@strawberry.type(description="You have joined a project: load its tasks.")
class ProjectAppeared(TaskStreamItem):
    """The subscriber has become a member."""

    row: strawberry.Private[ProjectOfEvent]
    project = _PROJECT
    by = made_by("actor_id")


@strawberry.type(description="Your role in a project has changed. You still see its tasks, and may do other things.")
class ProjectRoleChanged(TaskStreamItem):
    """The subscriber has another role."""

    row: strawberry.Private[ProjectOfEvent]
    project = _PROJECT
    by = made_by("actor_id")


@strawberry.type(description="You may no longer see a project: remove it and its tasks.")
class ProjectGone(TaskStreamItem):
    """The subscriber is not a member any more, or the project does not exist."""

    project_id: strawberry.ID = strawberry.field(description="The id of the project.")


PROJECT_ITEMS = (ProjectChanged, MemberChanged, ProjectAppeared, ProjectRoleChanged, ProjectGone)
