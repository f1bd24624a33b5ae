"""GraphQL types for sessions and for signing in."""

from datetime import datetime
from typing import ClassVar, Self
from uuid import UUID

import strawberry

from domain.actor import Actor
from domain.project import ProjectCreation
from domain.session import MAX_SESSIONS_LISTED
from graphql_api.auth.accounts import SignedIn
from graphql_api.schema.common import Node, Payload
from graphql_api.schema.object_fields import object_field
from graphql_api.schema.resolves_to import Expression
from graphql_api.schema.user import User, user_as_viewer
from graphql_api.schema.viewer import PERSONAL
from persistence.models import SessionRow

SESSIONS_DESCRIPTION = f"Your active sessions, newest first, at most {MAX_SESSIONS_LISTED}."


def _is_current(actor: Actor, session_id: UUID) -> bool:
    return session_id == actor.session_id


@strawberry.type(description="A session: one device on which you are signed in.")
class Session(Node):
    """A session."""

    model: ClassVar = SessionRow
    ip_address: str = strawberry.field(description="The IP address from which the session was started.")
    user_agent: str | None = strawberry.field(description="The `User-Agent` header that the client sent.")
    created_at: datetime = strawberry.field(description="When the session was started.")
    expires_at: datetime = strawberry.field(
        description="When the session ends if it is not refreshed. A session lasts at most 30 days."
    )
    last_used_at: datetime | None = strawberry.field(
        description="When the session was last refreshed; null if it was never refreshed."
    )

    is_current = object_field(
        PERSONAL, "Whether this request belongs to the session.", Expression(_is_current, ("id",))
    )


@strawberry.input(description="The username and the password.")
class LoginInput:
    """Input of `login`."""

    username: str = strawberry.field(description="The username. Upper and lower case do not matter.")
    password: str = strawberry.field(description="The password.")
    return_refresh_token: bool = strawberry.field(
        default=False,
        description="Where to return the refresh token. True: in the payload, for clients without cookies and for "
        "WebSockets. False or left out: in an HttpOnly cookie, which scripts cannot read.",
    )


@strawberry.type
class Tokens(Payload):
    """The tokens of a session."""

    access_token: str | None = strawberry.field(
        default=None,
        description="Send it in the header `Authorization: Bearer …`, or in `connection_init` of a WebSocket.",
    )
    expires_at: datetime | None = strawberry.field(default=None, description="When the access token expires.")
    refresh_token: str | None = strawberry.field(
        default=None,
        description="Only if you requested it; otherwise it is in the cookie. You can use it once, in `refreshToken`.",
    )
    user: User | None = strawberry.field(default=None, description="The user who is signed in now.")

    @classmethod
    def of(cls, signed_in: SignedIn, *, return_refresh_token: bool, creation: ProjectCreation) -> Self:
        """Convert the result of signing in or refreshing. *creation* says who may create projects."""
        return cls(
            access_token=signed_in.access_token,
            expires_at=signed_in.expires_at,
            refresh_token=signed_in.refresh_token if return_refresh_token else None,
            user=user_as_viewer(signed_in.user, creation),
        )


@strawberry.type(description="The result of `login`.")
class LoginPayload(Tokens):
    """Payload of `login`."""


@strawberry.input(description="The refresh token to exchange for new tokens.")
class RefreshTokenInput:
    """Input of `refreshToken`."""

    refresh_token: str | None = strawberry.field(
        default=None,
        description="The refresh token from a payload. If it is left out or null, the cookie is used. You get the next "
        "refresh token in the same way: in the payload or in the cookie.",
    )


@strawberry.type(description="The result of `refreshToken`.")
class RefreshTokenPayload(Tokens):
    """Payload of `refreshToken`."""


@strawberry.type(description="The result of `logout`.")
class LogoutPayload(Payload):
    """Payload of `logout`."""

    end_session_url: str | None = strawberry.field(
        default=None,
        description="Where to send the browser to sign out of the provider, too. Null if you have not signed in "
        "through a provider, or if it has no such page.",
    )


@strawberry.type(description="The result of `logoutAll`.")
class LogoutAllPayload(Payload):
    """Payload of `logoutAll`."""


@strawberry.input(description="The session to end.")
class RevokeSessionInput:
    """Input of `revokeSession`."""

    session_id: strawberry.ID = strawberry.field(description="The id of one of your `sessions`.")


@strawberry.type(description="The result of `revokeSession`.")
class RevokeSessionPayload(Payload):
    """Payload of `revokeSession`."""

    revoked_session_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the ended session."
    )
