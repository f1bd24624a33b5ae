"""GraphQL types for users."""

from datetime import datetime
from typing import Any, ClassVar, Self
from uuid import UUID

import strawberry

from domain.actor import Actor
from domain.policy import Action, may_user
from graphql_api.context import FieldContext
from graphql_api.schema.common import Node, PageInfo, Payload
from graphql_api.schema.enums import Role
from graphql_api.schema.fields import resolver
from graphql_api.schema.ids import encode_id
from graphql_api.schema.resolves_to import Expression, resolves_to
from graphql_api.schema.viewer import PERSONAL
from persistence.models import UserRow
from persistence.pagination import Facts, Page


def _email(actor: Actor, user_id: UUID, email: str) -> str | None:
    return email if may_user(actor, Action.READ_EMAIL, user_id) else None


@strawberry.type(description="A user account.")
class User(Node):
    """A user."""

    model: ClassVar = UserRow
    row: strawberry.Private[UserRow]
    is_current_user: strawberry.Private[bool]
    username: str = strawberry.field(description="3 to 20 characters; unique, ignoring case.")
    role: Role = strawberry.field(description="The role, which decides what the user may do.")
    is_active: bool = strawberry.field(description="Whether the user may sign in.")
    created_at: datetime = strawberry.field(description="When the user registered.")

    @strawberry.field(
        description="The e-mail address. Only the user and admins can see it; for others it is null.",
        metadata=PERSONAL | resolves_to(Expression(_email, ("id", "email"))),
    )
    @resolver
    def email(self, field: FieldContext) -> str | None:
        """Return it to the user and to admins. In the payloads of `register` and `login` it is always visible."""
        return self.row.email if self.is_current_user else _email(field.context.actor, self.row.id, self.row.email)

    @classmethod
    def of(cls, row: UserRow, *, is_current_user: bool = False) -> Self:
        """Convert a row. *is_current_user*: the user has just registered or signed in with this request."""
        return cls(
            id=encode_id("User", row.id),
            row=row,
            is_current_user=is_current_user,
            username=row.username,
            role=row.role,
            is_active=row.is_active,
            created_at=row.created_at,
        )


def current_user(payload: Any) -> Actor | None:
    """The user who has just registered or signed in: the user in the payload."""
    user: User | None = payload.user
    if user is None:
        return None
    return Actor(user.row.id, user.row.role, session_id=None, access_version=user.row.access_version)


@strawberry.type(description="A user in a list.")
class UserEdge:
    """An edge."""

    cursor: str = strawberry.field(description="The position in the list. Pass it as `after` to start after this user.")
    node: User = strawberry.field(description="The user.")


@strawberry.type(description="A page of users, newest first.")
class UserConnection:
    """A connection."""

    model: ClassVar = UserRow
    facts: strawberry.Private[Facts]
    edges: list[UserEdge] = strawberry.field(description="The users with their cursors.")
    nodes: list[User] = strawberry.field(description="The users without cursors.")
    page_info: PageInfo = strawberry.field(description="The position of this page in the list.")

    @strawberry.field(description="The number of all users.")
    def total_count(self) -> int:
        """Return the total; the statement for the page reads it if this field is selected."""
        total: int = self.facts["total"]
        return total

    @classmethod
    def of(cls, page: Page[UserRow]) -> Self:
        """Convert a page of rows."""
        nodes = [User.of(row) for row in page.rows]
        edges = [UserEdge(cursor=cursor, node=node) for cursor, node in zip(page.cursors, nodes, strict=True)]
        return cls(facts=page.facts, edges=edges, nodes=nodes, page_info=PageInfo.of(page))


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
