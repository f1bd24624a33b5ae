"""Users, as clients see them."""

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


@strawberry.type(description="Somebody who can sign in.")
class User(Node):
    """A user."""

    model: ClassVar = UserRow
    row: strawberry.Private[UserRow]
    is_oneself: strawberry.Private[bool]
    username: str = strawberry.field(description="3 to 20 characters; unique, ignoring case.")
    role: Role = strawberry.field(description="What they may do.")
    is_active: bool = strawberry.field(description="Whether they may sign in.")
    created_at: datetime = strawberry.field(description="When they registered.")

    @strawberry.field(
        description="The e-mail address; null unless it is your own, or you are an admin.",
        metadata=PERSONAL | resolves_to(Expression(_email, ("id", "email"))),
    )
    @resolver
    def email(self, field: FieldContext) -> str | None:
        """For oneself and admins; somebody who registers or signs in just now has proved to be oneself."""
        return self.row.email if self.is_oneself else _email(field.context.actor, self.row.id, self.row.email)

    @classmethod
    def of(cls, row: UserRow, *, is_oneself: bool = False) -> Self:
        """The row as clients see it."""
        return cls(
            id=encode_id("User", row.id),
            row=row,
            is_oneself=is_oneself,
            username=row.username,
            role=row.role,
            is_active=row.is_active,
            created_at=row.created_at,
        )


def oneself(payload: Any) -> Actor | None:
    """Whoever registered or signed in just now: they have proved to be the user whom their payload tells of."""
    user: User | None = payload.user
    if user is None:
        return None
    return Actor(user.row.id, user.row.role, session_id=None, access_version=user.row.access_version)


@strawberry.type(description="A user in a list.")
class UserEdge:
    """An edge."""

    cursor: str = strawberry.field(description="The place in the list: `after` to begin behind it.")
    node: User = strawberry.field(description="The user.")


@strawberry.type(description="A page of users, the newest first.")
class UserConnection:
    """A connection."""

    model: ClassVar = UserRow
    facts: strawberry.Private[Facts]
    edges: list[UserEdge] = strawberry.field(description="The users with their cursors.")
    nodes: list[User] = strawberry.field(description="The users alone.")
    page_info: PageInfo = strawberry.field(description="Where this page lies.")

    @strawberry.field(description="How many users there are in all.")
    def total_count(self) -> int:
        """Read in the page's statement, if it is selected."""
        total: int = self.facts["total"]
        return total

    @classmethod
    def of(cls, page: Page[UserRow]) -> Self:
        """The page as clients see it."""
        nodes = [User.of(row) for row in page.rows]
        edges = [UserEdge(cursor=cursor, node=node) for cursor, node in zip(page.cursors, nodes, strict=True)]
        return cls(facts=page.facts, edges=edges, nodes=nodes, page_info=PageInfo.of(page))


@strawberry.input(description="A new user.")
class RegisterInput:
    """Input of `register`."""

    username: str = strawberry.field(
        description="3 to 20 letters, digits, '.', '-' and '_', with a letter or digit at both ends."
    )
    email: str = strawberry.field(description="An e-mail address that nobody has registered with.")
    password: str = strawberry.field(
        description="At least 8 characters with upper and lower case, a digit and a symbol, no spaces; "
        "at most 1,024 bytes."
    )


@strawberry.type(description="What `register` answers.")
class RegisterPayload(Payload):
    """Payload of `register`."""

    user: User | None = strawberry.field(default=None, description="The new user, not signed in yet.")


@strawberry.input(description="A new password for yourself.")
class ChangePasswordInput:
    """Input of `changePassword`."""

    current_password: str = strawberry.field(description="The one you signed in with.")
    new_password: str = strawberry.field(description="By the same rules as at registration.")


@strawberry.type(description="What `changePassword` answers.")
class ChangePasswordPayload(Payload):
    """Payload of `changePassword`."""

    user: User | None = strawberry.field(default=None, description="You.")


@strawberry.input(description="Another role for a user.")
class SetUserRoleInput:
    """Input of `setUserRole`."""

    user_id: strawberry.ID = strawberry.field(description="Whose.")
    role: Role = strawberry.field(description="The new role.")


@strawberry.type(description="What `setUserRole` answers.")
class SetUserRolePayload(Payload):
    """Payload of `setUserRole`."""

    user: User | None = strawberry.field(default=None, description="The user with the new role.")


@strawberry.input(description="Let a user in, or cut them off.")
class SetUserActiveInput:
    """Input of `setUserActive`."""

    user_id: strawberry.ID = strawberry.field(description="Whom.")
    is_active: bool = strawberry.field(description="False ends all their sessions within a second.")


@strawberry.type(description="What `setUserActive` answers.")
class SetUserActivePayload(Payload):
    """Payload of `setUserActive`."""

    user: User | None = strawberry.field(default=None, description="The user.")
