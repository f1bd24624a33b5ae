"""Sessions: sign-in, refresh, list and sign-out."""

from datetime import UTC, datetime

import strawberry

from domain.actor import Actor
from domain.errors import InvalidCredentials
from domain.policy import Action, may_user
from domain.session import MAX_SESSIONS_LISTED
from graphql_api.auth.permissions import ACCOUNT, PUBLIC, SESSION
from graphql_api.context import Context, FieldContext
from graphql_api.resolvers.fields import mutation, query
from graphql_api.schema.ids import decode_id_of, encode_id
from graphql_api.schema.resolves_to import Many
from graphql_api.schema.session import (
    SESSIONS_DESCRIPTION,
    LoginInput,
    LoginPayload,
    LogoutAllPayload,
    LogoutPayload,
    RefreshTokenInput,
    RefreshTokenPayload,
    RevokeSessionInput,
    RevokeSessionPayload,
    Session,
)
from graphql_api.schema.user import current_user
from persistence.queries import session as reads
from persistence.queries.query import Query
from services import session as session_service


def own_sessions(actor: Actor) -> Query:
    """The actor's own; none with a personal access token that lacks the scope."""
    at_most = MAX_SESSIONS_LISTED if may_user(actor, Action.LIST_SESSIONS, actor.user_id) else 0
    return reads.sessions(actor.user_id, now=datetime.now(UTC), at_most=at_most)


@strawberry.type
class SessionQueries:
    """Fields of Query."""

    sessions = query(ACCOUNT, SESSIONS_DESCRIPTION, Many(Session, own_sessions))


@strawberry.type
class SessionMutations:
    """Fields of Mutation."""

    @mutation(PUBLIC, "Sign in with username and password.", viewer=current_user)
    async def login(self, field: FieldContext, input: LoginInput) -> LoginPayload | None:
        """One call of the accounts; the refresh token travels in the cookie unless it was asked for."""
        context = field.context
        signed_in = await context.backend.accounts.sign_in(
            context.request.client, username=input.username, password=input.password, request_id=context.request_id
        )
        context.request.carries_secret = True
        if not input.return_refresh_token:
            context.set_refresh_cookie(signed_in.refresh_token)
        return LoginPayload.of(
            signed_in,
            return_refresh_token=input.return_refresh_token,
            creation=context.backend.project_creation,
        )

    @mutation(
        PUBLIC,
        "Exchange a refresh token for new tokens. Do this at the latest when the access token expires.",
        viewer=current_user,
    )
    async def refresh_token(self, field: FieldContext, input: RefreshTokenInput) -> RefreshTokenPayload | None:
        """One call of the accounts; the successor travels as the token came: a cookie's is for no script to see."""
        context = field.context
        in_payload = input.refresh_token is not None
        token = input.refresh_token if in_payload else _cookie(context)
        if token is None:
            raise InvalidCredentials("Refresh token missing", path=("refreshToken",))
        signed_in = await context.backend.accounts.refresh(
            context.request.client, refresh_token=token, request_id=context.request_id
        )
        context.request.carries_secret = True
        if not in_payload:
            context.set_refresh_cookie(signed_in.refresh_token)
        creation = context.backend.project_creation
        return RefreshTokenPayload.of(signed_in, return_refresh_token=in_payload, creation=creation)

    @mutation(SESSION, "Sign out of the current session. Its tokens become invalid within a second.")
    async def logout(self, field: FieldContext) -> LogoutPayload | None:
        """One service call."""
        provider = await session_service.sign_out(field.context.unit_of_work())
        field.context.drop_refresh_cookie()
        sign_ins = field.context.backend.sign_ins
        return LogoutPayload(end_session_url=await sign_ins.logout_url(provider) if sign_ins is not None else None)

    @mutation(SESSION, "Sign out of all your sessions.")
    async def logout_all(self, field: FieldContext) -> LogoutAllPayload | None:
        """One service call."""
        await session_service.sign_out_everywhere(field.context.unit_of_work())
        field.context.drop_refresh_cookie()
        return LogoutAllPayload()

    @mutation(ACCOUNT, "End one of your sessions, for example on another device.")
    async def revoke_session(self, field: FieldContext, input: RevokeSessionInput) -> RevokeSessionPayload | None:
        """One service call."""
        session_id = await session_service.revoke_session(
            field.context.unit_of_work(), session_id=decode_id_of("Session", input.session_id, field="sessionId")
        )
        return RevokeSessionPayload(revoked_session_id=encode_id("Session", session_id))


def _cookie(context: Context) -> str | None:
    # A socket has no answer that could carry the successor, and the cookie would be used up for nothing.
    return context.refresh_cookie if context.request.transport == "http" else None
