"""Sessions and signing in, as clients see them."""

from datetime import datetime
from typing import ClassVar, Self
from uuid import UUID

import strawberry

from domain.actor import Actor
from domain.session import MAX_SESSIONS_LISTED
from graphql_api.auth.accounts import SignedIn
from graphql_api.context import FieldContext
from graphql_api.schema.common import Node, Payload
from graphql_api.schema.fields import resolver
from graphql_api.schema.ids import encode_id
from graphql_api.schema.resolves_to import Expression, resolves_to
from graphql_api.schema.user import User
from graphql_api.schema.viewer import PERSONAL
from persistence.models import SessionRow

SESSIONS_DESCRIPTION = f"Where you are signed in, the newest first, at most {MAX_SESSIONS_LISTED}."


def _is_current(actor: Actor, session_id: UUID) -> bool:
    return session_id == actor.session_id


@strawberry.type(description="One signed-in device.")
class Session(Node):
    """A session."""

    model: ClassVar = SessionRow
    row: strawberry.Private[SessionRow]
    ip_address: str = strawberry.field(description="The address it was begun from.")
    user_agent: str | None = strawberry.field(description="What the client called itself.")
    created_at: datetime = strawberry.field(description="When it was begun.")
    expires_at: datetime = strawberry.field(description="When it ends unless it is refreshed; 30 days at most.")
    last_used_at: datetime | None = strawberry.field(description="When it was last refreshed; null: never.")

    @strawberry.field(
        description="Whether this request belongs to it.",
        metadata=PERSONAL | resolves_to(Expression(_is_current, ("id",))),
    )
    @resolver
    def is_current(self, field: FieldContext) -> bool:
        """Compares the actor's session."""
        return _is_current(field.context.actor, self.row.id)

    @classmethod
    def of(cls, row: SessionRow) -> Self:
        """The row as clients see it."""
        return cls(
            id=encode_id("Session", row.id),
            row=row,
            ip_address=row.ip_address,
            user_agent=row.user_agent,
            created_at=row.created_at,
            expires_at=row.expires_at,
            last_used_at=row.last_used_at,
        )


@strawberry.input(description="Name and password.")
class LoginInput:
    """Input of `login`."""

    username: str = strawberry.field(description="The username, in upper or lower case.")
    password: str = strawberry.field(description="The password.")
    return_refresh_token: bool = strawberry.field(
        default=False,
        description="True: the refresh token is in the payload, for clients that keep no cookies and for sockets. "
        "False, or left out: it is in an HttpOnly cookie, where scripts cannot read it.",
    )


@strawberry.type
class Tokens(Payload):
    """The tokens of a session."""

    access_token: str | None = strawberry.field(
        default=None, description="Send it as `Authorization: Bearer …`, or in the socket's `connection_init`."
    )
    expires_at: datetime | None = strawberry.field(default=None, description="When the access token expires.")
    refresh_token: str | None = strawberry.field(
        default=None, description="Only if asked for; good for one use of `refreshToken`."
    )
    user: User | None = strawberry.field(default=None, description="Who you are now.")

    @classmethod
    def of(cls, signed_in: SignedIn, *, return_refresh_token: bool) -> Self:
        """The tokens as clients see them."""
        return cls(
            access_token=signed_in.access_token,
            expires_at=signed_in.expires_at,
            refresh_token=signed_in.refresh_token if return_refresh_token else None,
            user=User.of(signed_in.user, is_oneself=True),
        )


@strawberry.type(description="What `login` answers.")
class LoginPayload(Tokens):
    """Payload of `login`."""


@strawberry.input(description="A refresh token for new tokens.")
class RefreshTokenInput:
    """Input of `refreshToken`."""

    refresh_token: str | None = strawberry.field(
        default=None,
        description="The token that `login` returned; left out or null: the cookie's. Its successor comes as it came, "
        "in the payload or in the cookie, which no script may read.",
    )


@strawberry.type(description="What `refreshToken` answers.")
class RefreshTokenPayload(Tokens):
    """Payload of `refreshToken`."""


@strawberry.type(description="What `logout` answers.")
class LogoutPayload(Payload):
    """Payload of `logout`."""


@strawberry.type(description="What `logoutAll` answers.")
class LogoutAllPayload(Payload):
    """Payload of `logoutAll`."""


@strawberry.input(description="A session to end.")
class RevokeSessionInput:
    """Input of `revokeSession`."""

    session_id: strawberry.ID = strawberry.field(description="One of your own, from `sessions`.")


@strawberry.type(description="What `revokeSession` answers.")
class RevokeSessionPayload(Payload):
    """Payload of `revokeSession`."""

    revoked_session_id: strawberry.ID | None = strawberry.field(default=None, description="The session that ended.")
