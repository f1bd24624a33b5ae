"""Personal access tokens: created, listed and revoked."""

from typing import Annotated
from uuid import UUID

import strawberry

from domain.access_token import MAX_TOKENS
from domain.actor import Actor
from domain.policy import Action, may_user
from graphql_api.auth.permissions import SESSION
from graphql_api.context import FieldContext
from graphql_api.resolvers.fields import mutation, query
from graphql_api.schema.access_token import (
    ACCESS_TOKENS_DESCRIPTION,
    AccessToken,
    CreateAccessTokenInput,
    CreateAccessTokenPayload,
    RevokeAccessTokenInput,
    RevokeAccessTokenPayload,
)
from graphql_api.schema.ids import decode_id_of, encode_id, optional_id_of
from graphql_api.schema.resolves_to import Many
from persistence.queries import access_token as reads
from persistence.queries.query import Query
from services import access_token as access_token_service


def own_access_tokens(actor: Actor | None, _: list[UUID] | None = None) -> Query:
    """The actor's own; none with a personal access token."""
    assert actor is not None
    return reads.tokens(actor.user_id, at_most=MAX_TOKENS if may_user(actor, Action.LIST_TOKENS, actor.user_id) else 0)


UserId = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="A service account that you manage. Null or left out: your own tokens."),
]


def _of_user(actor: Actor, user_id: UserId = None) -> Query:
    account = optional_id_of("User", user_id, field="userId")
    if account is None or account == actor.user_id:
        return own_access_tokens(actor)
    return reads.tokens_of_account(actor, account, at_most=MAX_TOKENS)


@strawberry.type
class AccessTokenQueries:
    """Fields of Query."""

    access_tokens = query(SESSION, ACCESS_TOKENS_DESCRIPTION, Many(AccessToken, _of_user))


@strawberry.type
class AccessTokenMutations:
    """Fields of Mutation."""

    @mutation(
        SESSION,
        "Create a personal access token, with which a program acts as you, or as a service account that you manage, "
        "within its scopes. A repeated request "
        "creates another one, also with the same idempotency key, because the text of a token is not stored.",
    )
    async def create_access_token(
        self, field: FieldContext, input: CreateAccessTokenInput
    ) -> CreateAccessTokenPayload | None:
        """One service call."""
        context = field.context
        created = await access_token_service.create_access_token(
            context.unit_of_work(),
            user_id=optional_id_of("User", input.user_id, field="userId") or context.actor.user_id,
            name=input.name,
            scopes=input.scopes,
            expires_at=input.expires_at,
            max_lifetime=context.backend.max_token_lifetime,
            project_id=optional_id_of("Project", input.project_id, field="projectId"),
        )
        context.request.carries_secret = True
        return CreateAccessTokenPayload(access_token=AccessToken.of(created.row), secret=created.secret)

    @mutation(
        SESSION,
        "Revoke a personal access token of yours, or of a service account that you manage. It ends within a second, "
        "also on open connections.",
    )
    async def revoke_access_token(
        self, field: FieldContext, input: RevokeAccessTokenInput
    ) -> RevokeAccessTokenPayload | None:
        """One service call."""
        context = field.context
        token_id = await access_token_service.revoke_access_token(
            context.unit_of_work(),
            token_id=decode_id_of("AccessToken", input.access_token_id, field="accessTokenId"),
        )
        return RevokeAccessTokenPayload(revoked_access_token_id=encode_id("AccessToken", token_id))
