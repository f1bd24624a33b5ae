"""GraphQL types for the members of projects."""

from datetime import datetime
from typing import ClassVar

import strawberry

from graphql_api.schema.common import Node, Payload
from graphql_api.schema.connections import connection
from graphql_api.schema.enums import ProjectRole
from graphql_api.schema.object_fields import object_field
from graphql_api.schema.resolves_to import Reference
from graphql_api.schema.user import User
from graphql_api.schema.viewer import FOR_ALL_USERS
from persistence.models import MembershipRow
from persistence.queries.membership import REFERENCES_OF_A_MEMBERSHIP


@strawberry.type(description="A user's membership in a project.")
class Membership(Node):
    """A membership."""

    model: ClassVar = MembershipRow
    role: ProjectRole = strawberry.field(description="The role, which decides what the user may do in the project.")
    created_at: datetime = strawberry.field(description="When the user became a member.")
    user = object_field(
        FOR_ALL_USERS, "The member.", Reference(User, "user", REFERENCES_OF_A_MEMBERSHIP["user"].column)
    )


MembershipConnection = connection(
    Membership,
    "Membership",
    "A page of the members of a project, in the order in which they were added.",
    edge="A member in a list.",
    item="member",
)

_PROJECT = "The id of the project."
_USER = "The id of the user."


@strawberry.input(description="A new member of a project.")
class AddMemberInput:
    """Input of `addMember`."""

    project_id: strawberry.ID = strawberry.field(description=_PROJECT)
    user_id: strawberry.ID = strawberry.field(description="The id of an active user.")
    role: ProjectRole = strawberry.field(
        default=ProjectRole.MEMBER, description="The role in the project. If it is left out, it is MEMBER."
    )


@strawberry.input(description="The new role of a member.")
class SetMemberRoleInput:
    """Input of `setMemberRole`."""

    project_id: strawberry.ID = strawberry.field(description=_PROJECT)
    user_id: strawberry.ID = strawberry.field(description=_USER)
    role: ProjectRole = strawberry.field(description="The new role in the project.")


@strawberry.input(description="The member to remove from a project.")
class RemoveMemberInput:
    """Input of `removeMember`."""

    project_id: strawberry.ID = strawberry.field(description=_PROJECT)
    user_id: strawberry.ID = strawberry.field(description=_USER)


@strawberry.input(description="The project to leave.")
class LeaveProjectInput:
    """Input of `leaveProject`."""

    project_id: strawberry.ID = strawberry.field(description=_PROJECT)


@strawberry.type
class ChangedMembership(Payload):
    """A payload with the membership after the change."""

    membership: Membership | None = strawberry.field(default=None, description="The membership after the change.")


@strawberry.type(description="The result of `addMember`.")
class AddMemberPayload(ChangedMembership):
    """Payload of `addMember`."""


@strawberry.type(description="The result of `setMemberRole`.")
class SetMemberRolePayload(ChangedMembership):
    """Payload of `setMemberRole`."""


@strawberry.type
class EndedMembership(Payload):
    """A payload with the id of a membership that has ended."""

    deleted_membership_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the membership that has ended."
    )


@strawberry.type(description="The result of `removeMember`.")
class RemoveMemberPayload(EndedMembership):
    """Payload of `removeMember`."""


@strawberry.type(description="The result of `leaveProject`.")
class LeaveProjectPayload(EndedMembership):
    """Payload of `leaveProject`."""
