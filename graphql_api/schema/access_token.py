"""GraphQL types for personal access tokens."""

from datetime import datetime
from typing import ClassVar

import strawberry

from domain.access_token import DEFAULT_LIFETIME, MAX_NAME, MAX_TOKENS
from domain.actor import Actor
from graphql_api.schema.common import Node, Payload
from graphql_api.schema.enums import Scope
from graphql_api.schema.object_fields import object_field
from graphql_api.schema.project import Project
from graphql_api.schema.resolves_to import Expression, Reference
from graphql_api.schema.viewer import FOR_ALL_USERS
from persistence.models import AccessTokenRow
from persistence.queries.project import projects

ACCESS_TOKENS_DESCRIPTION = (
    f"Your personal access tokens, newest first, at most {MAX_TOKENS}. Expired ones are listed for 30 days."
)
_KNOWN = {scope.value: scope for scope in Scope}


def _scopes(actor: Actor, scopes: list[str]) -> list[Scope]:
    return [_KNOWN[name] for name in scopes if name in _KNOWN]


@strawberry.type(description="A personal access token, with which a program acts as you. Its text is not stored.")
class AccessToken(Node):
    """A personal access token."""

    model: ClassVar = AccessTokenRow
    name: str = strawberry.field(description="The name that you gave it.")
    created_at: datetime = strawberry.field(description="When it was created.")
    expires_at: datetime = strawberry.field(description="When it ends, also on open connections.")
    last_used_at: datetime | None = strawberry.field(
        description="When it was last used, to about ten minutes; null if it was not used yet."
    )

    scopes = object_field(FOR_ALL_USERS, "What it may be used for.", Expression(_scopes, ("scopes",)))
    project = object_field(
        FOR_ALL_USERS,
        "The only project that it reaches. Null if it is not limited to one.",
        Reference(Project, "project", "project_id", projects),
    )


@strawberry.input(description="A new personal access token.")
class CreateAccessTokenInput:
    """Input of `createAccessToken`."""

    name: str = strawberry.field(description=f"What it is for: 1 to {MAX_NAME} characters.")
    scopes: list[Scope] = strawberry.field(description="What it may be used for; at least one scope.")
    expires_at: datetime | None = strawberry.field(
        default=None,
        description=f"When it ends. If it is left out or null: in {DEFAULT_LIFETIME.days} days. The server limits it, "
        "usually to 366 days.",
    )
    user_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The id of a service account that you manage, as which the program acts. Null or left out: as you. "
        "A token of a service account of a project is for that project.",
    )
    project_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The id of a project of which you are a member: the token reaches this project only, and ends when "
        "you leave it. Its scopes may be TASKS_READ, TASKS_WRITE and PROJECTS_MANAGE. Null or left out: the token "
        "reaches what you reach.",
    )


@strawberry.type(description="The result of `createAccessToken`.")
class CreateAccessTokenPayload(Payload):
    """Payload of `createAccessToken`."""

    access_token: AccessToken | None = strawberry.field(default=None, description="The new token.")
    secret: str | None = strawberry.field(
        default=None,
        description="The text of the token: send it as `Authorization: Bearer …`. It is returned only now, so store it "
        "where only your program can read it.",
    )


@strawberry.input(description="The personal access token to revoke.")
class RevokeAccessTokenInput:
    """Input of `revokeAccessToken`."""

    access_token_id: strawberry.ID = strawberry.field(description="The id of one of the `accessTokens`.")


@strawberry.type(description="The result of `revokeAccessToken`.")
class RevokeAccessTokenPayload(Payload):
    """Payload of `revokeAccessToken`."""

    revoked_access_token_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the revoked token."
    )
