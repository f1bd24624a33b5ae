"""GraphQL types for projects."""

from datetime import datetime
from typing import ClassVar

import strawberry

from domain import policy
from domain.actor import Actor
from domain.policy import Action
from domain.project import MAX_DESCRIPTION, MAX_KEY, MAX_NAME, MIN_KEY, ProjectRole
from domain.stream_cursor import StreamCursor
from graphql_api.schema.common import Node, Payload
from graphql_api.schema.connections import connection, pages_of
from graphql_api.schema.label import LabelConnection
from graphql_api.schema.membership import MembershipConnection
from graphql_api.schema.object_fields import object_field
from graphql_api.schema.resolves_to import Expression, Pages
from graphql_api.schema.viewer import BY_RELATION, FOR_ALL_USERS, PERSONAL
from persistence.models import VisibleProjectRow
from persistence.queries.label import LABELS
from persistence.queries.membership import MEMBERS

_KEY = f"{MIN_KEY} to {MAX_KEY} letters and digits; the first is a letter. It is stored in upper case."


def _may(action: Action) -> Expression:
    """Whether the policy allows an action."""

    def allowed(actor: Actor, viewer_role: ProjectRole | None, is_archived: bool) -> bool:
        return policy.may_project(actor, action, viewer_role, is_archived=is_archived)

    return Expression(allowed, ("viewer_role", "is_archived"))


def _stream_cursor(actor: Actor, head_epoch: str, head_position: int, head_fingerprint: int | None) -> str | None:
    """The position that was read with the row of the project; the cursor is valid for this actor."""
    if not head_epoch:
        return None
    return StreamCursor(head_epoch, head_position, actor.access_version, head_fingerprint).encode()


def _own_role(_: Actor, viewer_role: ProjectRole | None) -> ProjectRole | None:
    return viewer_role


@strawberry.type(description="A project: a team that works together.")
class Project(Node):
    """A project."""

    model: ClassVar = VisibleProjectRow
    key: str = strawberry.field(
        description=f"A short name that no other project has: {_KEY} Keys that the project had before lead to it, too."
    )
    name: str = strawberry.field(description=f"1 to {MAX_NAME} characters.")
    description: str = strawberry.field(description=f"At most {MAX_DESCRIPTION:,} characters; may be empty.")
    is_archived: bool = strawberry.field(
        description="Whether the project is archived. Then it does not change; members can still leave."
    )
    version: int = strawberry.field(
        description="The version of the project. It grows by one with every change of the project itself."
    )
    created_at: datetime = strawberry.field(description="When the project was created.")
    updated_at: datetime = strawberry.field(description="When the project itself was last changed.")

    viewer_role = object_field(
        BY_RELATION, "Your role in the project; null if you are not a member.", Expression(_own_role, ("viewer_role",))
    )
    viewer_can_update = object_field(
        BY_RELATION, "Whether you may change the key, the name and the description.", _may(Action.UPDATE_PROJECT)
    )
    viewer_can_archive = object_field(
        BY_RELATION, "Whether you may archive the project, or make it active again.", _may(Action.ARCHIVE_PROJECT)
    )
    viewer_can_delete = object_field(BY_RELATION, "Whether you may delete the project.", _may(Action.DELETE_PROJECT))
    viewer_can_manage_members = object_field(
        BY_RELATION, "Whether you may add and remove members, and change their roles.", _may(Action.MANAGE_MEMBERS)
    )
    viewer_can_manage_labels = object_field(
        BY_RELATION, "Whether you may create, change and delete labels.", _may(Action.MANAGE_LABELS)
    )
    stream_cursor = object_field(
        PERSONAL,
        "The position of the stream when this project was read. Pass it as `after` of `projectChanged`, and you "
        "receive every change since then. The lists of the project were read at this position or later. It is null in "
        "an item of a subscription: continue from the `cursor` of the item.",
        Expression(_stream_cursor, ("head_epoch", "head_position", "head_fingerprint")),
    )
    labels = object_field(
        FOR_ALL_USERS, "The labels of the project, by name.", Pages(LabelConnection, pages_of(LABELS))
    )
    members = object_field(
        FOR_ALL_USERS,
        "The members of the project, in the order in which they were added.",
        Pages(MembershipConnection, pages_of(MEMBERS)),
    )


ProjectConnection = connection(
    Project,
    "Project",
    "A page of projects, by key.",
    edge="A project in a list.",
    item="project",
    total="The number of all projects in the list.",
)

EXPECTED_VERSION = (
    "Makes the change only if the project has this version; otherwise the error code is CONFLICT. "
    "Null or left out: the version is not checked."
)


@strawberry.input(description="A new project. You become its manager.")
class CreateProjectInput:
    """Input of `createProject`."""

    key: str = strawberry.field(description=f"A key that no project has or had: {_KEY}")
    name: str = strawberry.field(description=f"1 to {MAX_NAME} characters.")
    description: str = strawberry.field(
        default="", description=f"At most {MAX_DESCRIPTION:,} characters. If it is left out, the description is empty."
    )


@strawberry.input(
    description="The changes of a project. A field that is left out stays as it is; null makes the description empty."
)
class UpdateProjectInput:
    """Input of `updateProject`."""

    id: strawberry.ID = strawberry.field(description="The id of the project.")
    key: str | None = strawberry.field(default=strawberry.UNSET, description=f"{_KEY} Must not be null.")
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description=f"1 to {MAX_NAME} characters; must not be null."
    )
    description: str | None = strawberry.field(
        default=strawberry.UNSET, description=f"At most {MAX_DESCRIPTION:,} characters; null makes it empty."
    )
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED_VERSION)


@strawberry.input(description="Archives a project, or makes it active again.")
class ArchiveProjectInput:
    """Input of `archiveProject`."""

    id: strawberry.ID = strawberry.field(description="The id of the project.")
    is_archived: bool = strawberry.field(
        default=True, description="True or left out: archives the project. False: makes it active again."
    )
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED_VERSION)


@strawberry.input(description="The project to delete.")
class DeleteProjectInput:
    """Input of `deleteProject`."""

    id: strawberry.ID = strawberry.field(description="The id of the project.")
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED_VERSION)
    confirm_key: str | None = strawberry.field(
        default=None,
        description="The key of the project, to delete it with its tasks. "
        "Null or left out: the project is deleted only if it has no tasks.",
    )


@strawberry.type
class ChangedProject(Payload):
    """A payload with the project after the change."""

    project: Project | None = strawberry.field(default=None, description="The project after the change.")


@strawberry.type(description="The result of `createProject`.")
class CreateProjectPayload(ChangedProject):
    """Payload of `createProject`."""


@strawberry.type(description="The result of `updateProject`.")
class UpdateProjectPayload(ChangedProject):
    """Payload of `updateProject`."""


@strawberry.type(description="The result of `archiveProject`.")
class ArchiveProjectPayload(ChangedProject):
    """Payload of `archiveProject`."""


@strawberry.type(description="The result of `deleteProject`.")
class DeleteProjectPayload(Payload):
    """Payload of `deleteProject`."""

    deleted_project_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the deleted project."
    )
