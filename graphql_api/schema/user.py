"""GraphQL types for users."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import strawberry

from domain.actor import Actor
from domain.policy import Action, may_project, may_user
from domain.project import ProjectCreation
from graphql_api.schema.common import Node, Payload
from graphql_api.schema.connections import connection
from graphql_api.schema.enums import Role, UserKind
from graphql_api.schema.object_fields import object_field
from graphql_api.schema.resolves_to import Expression
from graphql_api.schema.viewer import PERSONAL
from persistence.models import UserRow


def _email(actor: Actor, user_id: UUID, email: str, kind: UserKind) -> str | None:
    has_address = kind != UserKind.SERVICE  # the column may be read as its name
    return email if has_address and may_user(actor, Action.READ_EMAIL, user_id) else None


def _verified_at(actor: Actor, user_id: UUID, verified_at: datetime | None) -> datetime | None:
    return verified_at if may_user(actor, Action.READ_EMAIL, user_id) else None


def _may_create_projects(actor: Actor, user_id: UUID) -> bool:
    return actor.user_id == user_id and actor.creates_projects and may_project(actor, Action.CREATE_PROJECT, None)


@strawberry.type(description="A user account.")
class User(Node):
    """A user."""

    model: ClassVar = UserRow
    username: str = strawberry.field(description="3 to 20 characters; unique, ignoring case.")
    role: Role = strawberry.field(description="The role, which decides what the user may do.")
    is_active: bool = strawberry.field(description="Whether the user may sign in.")
    deleted_at: datetime | None = strawberry.field(
        description="When the user was deleted; null: the user is not deleted. The name of a deleted user is a "
        'placeholder that begins with `deleted-`; show something like "Deleted user" instead.'
    )
    created_at: datetime = strawberry.field(description="When the user registered.")
    kind: UserKind = strawberry.field(description="Whether it is a person or a program.")

    email = object_field(
        PERSONAL,
        "The e-mail address. Only the user and admins can see it; for others it is null. A service account has none.",
        Expression(_email, ("id", "email", "kind")),
    )
    email_verified_at = object_field(
        PERSONAL,
        "When the user has shown that the e-mail address is theirs. Null: not yet, or you may not see the address.",
        Expression(_verified_at, ("id", "email_verified_at")),
    )
    viewer_can_create_projects = object_field(
        PERSONAL,
        "Whether the settings of the server permit you to create projects. False for all users but yourself: the user "
        "who creates a project is its manager.",
        Expression(_may_create_projects, ("id",)),
    )


def user_as_viewer(row: UserRow, creation: ProjectCreation) -> User:
    """The user, seen by that user: they have just registered or signed in with this request.

    *creation* says who may create projects.
    """
    viewer = Actor(
        row.id,
        row.role,
        session_id=None,
        access_version=row.access_version,
        creates_projects=creation.permits(row.role),
    )
    return User.of(row, viewer=viewer)


def current_user(payload: Any) -> Actor | None:
    """The user who has just registered or signed in: the viewer of the user in the payload."""
    user: User | None = payload.user
    return user.viewer if user is not None else None


UserConnection = connection(
    User,
    "User",
    "A page of users, newest first.",
    edge="A user in a list.",
    item="user",
    total="The number of all users.",
)


@strawberry.input(description="A new user.")
class RegisterInput:
    """Input of `register`."""

    username: str = strawberry.field(
        description="3 to 20 characters: letters, digits, '.', '-' and '_'. The first and the last are a letter or a "
        "digit."
    )
    email: str = strawberry.field(description="An e-mail address that no other user has.")
    password: str = strawberry.field(
        description="At least 8 characters, with an upper-case letter, a lower-case letter, a digit and a symbol; no "
        "spaces; at most 1,024 bytes."
    )
    invitation: str | None = strawberry.field(
        default=None,
        description="The token of an invitation: the text after `#token=` in the link. Null or left out: without one. "
        "It gives the account the role of the invitation, and the membership in its project. The address must be the "
        "invited one.",
    )


@strawberry.type(description="The result of `register`.")
class RegisterPayload(Payload):
    """Payload of `register`."""

    user: User | None = strawberry.field(default=None, description="The new user, who is not signed in yet.")


@strawberry.input(description="Your current password and your new password.")
class ChangePasswordInput:
    """Input of `changePassword`."""

    current_password: str = strawberry.field(description="Your current password.")
    new_password: str = strawberry.field(description="Your new password. The rules are the same as for `register`.")


@strawberry.type(description="The result of `changePassword`.")
class ChangePasswordPayload(Payload):
    """Payload of `changePassword`."""

    user: User | None = strawberry.field(default=None, description="Your user account.")


@strawberry.input(description="The new role of a user.")
class SetUserRoleInput:
    """Input of `setUserRole`."""

    user_id: strawberry.ID = strawberry.field(description="The id of the user.")
    role: Role = strawberry.field(description="The new role.")


@strawberry.type(description="The result of `setUserRole`.")
class SetUserRolePayload(Payload):
    """Payload of `setUserRole`."""

    user: User | None = strawberry.field(default=None, description="The user with the new role.")


@strawberry.input(description="Enables or disables a user account.")
class SetUserActiveInput:
    """Input of `setUserActive`."""

    user_id: strawberry.ID = strawberry.field(description="The id of the user.")
    is_active: bool = strawberry.field(
        description="True enables the account. False disables it and ends all sessions of the user within a second."
    )


@strawberry.type(description="The result of `setUserActive`.")
class SetUserActivePayload(Payload):
    """Payload of `setUserActive`."""

    user: User | None = strawberry.field(default=None, description="The user after the change.")
