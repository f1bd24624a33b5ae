"""GraphQL types for invitations."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import strawberry

from domain.actor import Actor
from domain.invitation import KEPT_AFTER_EXPIRY, MAX_A_DAY
from graphql_api.schema.common import Payload
from graphql_api.schema.connections import connection
from graphql_api.schema.enums import ProjectRole, Role
from graphql_api.schema.ids import encode_id
from graphql_api.schema.membership import ChangedMembership
from graphql_api.schema.object_fields import RowObject, object_field
from graphql_api.schema.resolves_to import Expression, Reference
from graphql_api.schema.user import User
from graphql_api.schema.viewer import FOR_ALL_USERS
from persistence.models import InvitationRow

INVITATIONS_DESCRIPTION = (
    "The invitations to projects of which you are a manager, newest first; for admins all invitations. They are listed "
    f"until {KEPT_AFTER_EXPIRY.days} days after they expire."
)


def _invitation_id(_: Actor, invitation_id: UUID) -> strawberry.ID:
    return encode_id("Invitation", invitation_id)


def _project_id(_: Actor, project_id: UUID | None) -> strawberry.ID | None:
    return encode_id("Project", project_id) if project_id is not None else None


@strawberry.type(description="An invitation of a person. Its link works once, and no field returns it.")
class Invitation(RowObject):
    """An invitation."""

    model: ClassVar = InvitationRow
    email: str = strawberry.field(description="The address of the person. Only this address can use the invitation.")
    role: Role = strawberry.field(description="The role of a new account. An existing account keeps its role.")
    project_role: ProjectRole | None = strawberry.field(description="The role in the project; null without a project.")
    created_at: datetime = strawberry.field(description="When the person was invited.")
    expires_at: datetime = strawberry.field(description="Until when the link is valid.")
    accepted_at: datetime | None = strawberry.field(description="When the link was used; null: not yet.")

    id = object_field(FOR_ALL_USERS, "An opaque id. `node` does not find it.", Expression(_invitation_id, ("id",)))
    project_id = object_field(
        FOR_ALL_USERS,
        "The id of the project to which the person is invited, if any.",
        Expression(_project_id, ("project_id",)),
    )
    inviter = object_field(
        FOR_ALL_USERS,
        "The user who has invited the person. Null for the operator, and if the user does not exist any more.",
        Reference(User, "inviter", "inviter_id"),
    )


InvitationConnection = connection(
    Invitation,
    "Invitation",
    "A page of invitations, newest first.",
    edge="An invitation in a list.",
    item="invitation",
)


@strawberry.input(description="The person to invite.")
class CreateInvitationInput:
    """Input of `createInvitation`."""

    email: str = strawberry.field(description="The address of the person, who may have an account or not.")
    role: Role = strawberry.field(
        default=Role.USER,
        description="The role of a new account. If it is left out, it is USER; only admins may give another one.",
    )
    project_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The id of a project that the person joins. Null or left out: none, which only admins may do.",
    )
    project_role: ProjectRole | None = strawberry.field(
        default=None, description="The role in the project. Null or left out without a project."
    )


@strawberry.type(description="The result of `createInvitation`.")
class CreateInvitationPayload(Payload):
    """Payload of `createInvitation`."""

    invitation: Invitation | None = strawberry.field(default=None, description="The new invitation.")
    link: str | None = strawberry.field(
        default=None,
        description="The link to pass on, if the server sends no e-mail. It is returned only now. Without PUBLIC_URL "
        "it begins with the path. If the server sends e-mail: null, because only the person may know the link.",
    )


@strawberry.input(description="The invitation to revoke.")
class RevokeInvitationInput:
    """Input of `revokeInvitation`."""

    invitation_id: strawberry.ID = strawberry.field(description="The id of the invitation.")


@strawberry.type(description="The result of `revokeInvitation`.")
class RevokeInvitationPayload(Payload):
    """Payload of `revokeInvitation`."""

    revoked_invitation_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the revoked invitation."
    )


@strawberry.input(description="The token of an invitation to a project.")
class AcceptInvitationInput:
    """Input of `acceptInvitation`."""

    token: str = strawberry.field(description="The text after `#token=` in the link.")


@strawberry.type(description="The result of `acceptInvitation`.")
class AcceptInvitationPayload(ChangedMembership):
    """Payload of `acceptInvitation`."""


CREATE_DESCRIPTION = (
    "Invite a person by e-mail to a project of which you are a manager. Admins: to every project, or without one, and "
    f"with every role. A user can invite {MAX_A_DAY} people a day."
)
