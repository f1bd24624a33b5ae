"""Operations on sessions: sign in, refresh, list and sign out."""

from datetime import datetime
from typing import Annotated, Final, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from asgi.errors import HTTPError
from asgi.request_context import Header
from asgi.response import HTTPResponse
from domain.errors import InvalidCredentials, NotFound
from domain.session import MAX_SESSIONS_LISTED
from graphql_api.auth.access_rules import ACCOUNT, PUBLIC, SESSION
from graphql_api.auth.accounts import TOO_MANY_LOGINS, TOO_MANY_REFRESHES, TOO_MANY_SIGN_INS, SignedIn
from graphql_api.auth.cookies import (
    AmbiguousCookie,
    clear_refresh_cookie,
    drop_refresh_cookies,
    refresh_cookie,
    set_refresh_cookie,
)
from persistence.models import SessionRow
from rest_api.operation import Call, ErrorResponse, NoParams, Problem, RestOperation, Security, SuccessResponse
from rest_api.request import BROKEN_FORM
from rest_api.responses import nothing, one, several
from rest_api.validators import TEXT, text
from services import session as session_service

MISSING: Final = "Refresh token missing"
NO_TOKEN: Final = "Token not found"  # noqa: S105 - a sentence, not a secret

_NO_CACHE: Final = (b"pragma", b"no-cache")  # with Cache-Control: no-store, which every answer has (RFC 6749, 5.1)


class Credentials(BaseModel):
    """The form of OAuth2's password grant (RFC 6749, 4.3.2)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"username": "grace", "password": "Correct-horse1"}]})

    username: Annotated[str, text("username")] = Field(
        description="The username, in upper or lower case.", json_schema_extra={"minLength": 1, "pattern": TEXT}
    )
    password: Annotated[str, text("password")] = Field(
        description="The password.", json_schema_extra={"minLength": 1, "pattern": TEXT, "format": "password"}
    )
    grant_type: Literal["password"] = Field("password", description="Always `password`; optional.")
    scope: str = Field("", description="Ignored: permissions depend on roles.")
    client_id: str = Field("", description="Ignored.")
    client_secret: str = Field("", description="Ignored.")


class Token(BaseModel):
    """An access token. The refresh token is in the cookie."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"access_token": "eyJhbGciOiJIUzI1NiJ9.e30.c2ln", "token_type": "bearer"}]}
    )

    access_token: str = Field(description="Send it as `Authorization: Bearer …`.")
    token_type: Literal["bearer"] = Field("bearer", description="Always `bearer`.")


class Session(BaseModel):
    """One signed-in device."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "uuid": "0199e2a4-8d10-7c61-a2b4-93f1c07d5e12",
                    "ip_address": "203.0.113.7",
                    "user_agent": "Mozilla/5.0",
                    "created_at": "2026-11-23T09:15:02.113824Z",
                    "expires_at": "2026-11-30T09:15:02.113824Z",
                    "used": False,
                    "used_at": None,
                }
            ]
        }
    )

    uuid: UUID = Field(description="The id of the session.")
    ip_address: str = Field(description="The IP address of the sign-in.")
    user_agent: str | None = Field(description="The User-Agent header of the sign-in.")
    created_at: datetime = Field(description="When the user signed in.")
    expires_at: datetime = Field(description="When the session ends unless it is refreshed; at most after 30 days.")
    used: bool = Field(description="Whether it was refreshed at least once.")
    used_at: datetime | None = Field(description="When it was last refreshed.")

    @classmethod
    def of(cls, row: SessionRow) -> Self:
        """The JSON model of a row."""
        return cls(
            uuid=row.id,
            ip_address=row.ip_address,
            user_agent=row.user_agent,
            created_at=row.created_at,
            expires_at=row.expires_at,
            used=row.last_used_at is not None,
            used_at=row.last_used_at,
        )


_SESSIONS: Final = TypeAdapter(list[Session])


async def login(call: Call[NoParams, Credentials]) -> HTTPResponse:
    """Sign in."""
    signed_in = await call.backend.accounts.sign_in(
        call.request.client,
        username=call.body.username,
        password=call.body.password,
        request_id=call.request.request_id,
    )
    return _tokens(call, signed_in)


async def refresh(call: Call[NoParams, None]) -> HTTPResponse:
    """Exchange the refresh token in the cookie."""
    token = _refresh_cookie(call)
    if token is None:
        raise InvalidCredentials(MISSING)
    signed_in = await call.backend.accounts.refresh(
        call.request.client, refresh_token=token, request_id=call.request.request_id
    )
    return _tokens(call, signed_in)


async def list_sessions(call: Call[NoParams, None]) -> HTTPResponse:
    """List the user's sessions."""
    rows = await session_service.list_sessions(call.unit_of_work())
    return several(_SESSIONS, [Session.of(row) for row in rows])


async def logout(call: Call[NoParams, None]) -> HTTPResponse:
    """End the session of the access token and that of the cookie."""
    token = _refresh_cookie(call)
    if token is None:
        raise NotFound(NO_TOKEN)
    await session_service.sign_out(call.unit_of_work(), refresh_token=token)
    return nothing(_cookie(clear_refresh_cookie(secure=call.backend.cookie_secure)))


async def logout_all(call: Call[NoParams, None]) -> HTTPResponse:
    """End all sessions of the user."""
    await session_service.sign_out_everywhere(call.unit_of_work())
    return nothing(_cookie(clear_refresh_cookie(secure=call.backend.cookie_secure)))


def _refresh_cookie(call: Call[NoParams, None]) -> str | None:
    try:
        return refresh_cookie(call.request.headers)
    except AmbiguousCookie as error:
        drop_refresh_cookies(call.request, secure=call.backend.cookie_secure)
        raise HTTPError(400, error, *call.request.response_headers) from None


def _tokens(call: Call[NoParams, Credentials] | Call[NoParams, None], signed_in: SignedIn) -> HTTPResponse:
    cookie = set_refresh_cookie(signed_in.refresh_token, secure=call.backend.cookie_secure)
    return one(Token(access_token=signed_in.access_token, token_type="bearer"), _cookie(cookie), _NO_CACHE)  # noqa: S106


def _cookie(value: str) -> Header:
    return (b"set-cookie", value.encode("latin-1"))


_TOKENS: Final = SuccessResponse(200, "Tokens.", Token, headers=("Set-Cookie", "Cache-Control", "Pragma"))

OPERATIONS: Final = (
    RestOperation(
        name="login",
        methods=("POST",),
        path="/auth/login/",
        tag="auth",
        summary="Sign in",
        text="OAuth2's password grant. The refresh token is only in an HttpOnly cookie, not in the body.",
        handler=login,
        access=PUBLIC,
        security=Security.PUBLIC,
        body=Credentials,
        is_form=True,
        hashes_password=True,
        reply=_TOKENS,
        refused=(
            ErrorResponse(400, "The form is malformed", f"{BROKEN_FORM}: Missing boundary in multipart."),
            ErrorResponse(
                401, "Wrong password, unknown or disabled user", session_service.WRONG, headers=("WWW-Authenticate",)
            ),
            ErrorResponse(429, "Too many failures", TOO_MANY_LOGINS, headers=("Retry-After",)),
            ErrorResponse(429, "Too many sign-ins", TOO_MANY_SIGN_INS, headers=("Retry-After",)),
        ),
        problem=Problem("password", "Field required"),
    ),
    RestOperation(
        name="refresh",
        methods=("POST",),
        path="/auth/refresh/",
        tag="auth",
        summary="Refresh the session",
        text="Exchanges the refresh token in the cookie for a new one and a new access token. A token that was used "
        "before ends the session, unless it is the direct parent and is repeated within ten seconds.",
        handler=refresh,
        access=PUBLIC,
        security=Security.COOKIE,
        reply=_TOKENS,
        refused=(
            ErrorResponse(401, "No cookie", MISSING, headers=("WWW-Authenticate",)),
            ErrorResponse(
                401, "Not a token, or its session has ended", session_service.INVALID, headers=("WWW-Authenticate",)
            ),
            ErrorResponse(401, "Used before", session_service.USED, headers=("WWW-Authenticate",)),
            ErrorResponse(429, "Too many refreshes", TOO_MANY_REFRESHES, headers=("Retry-After",)),
        ),
    ),
    RestOperation(
        name="list_sessions",
        methods=("POST", "GET"),
        path="/auth/sessions/",
        tag="auth",
        summary="List my sessions",
        text=f"The newest first, at most {MAX_SESSIONS_LISTED}.",
        handler=list_sessions,
        access=ACCOUNT,
        reply=SuccessResponse(200, "Your sessions.", Session, many=True),
    ),
    RestOperation(
        name="logout",
        methods=("POST",),
        path="/auth/logout/",
        tag="auth",
        summary="Sign out",
        text="Ends the session of the access token and that of the cookie.",
        handler=logout,
        access=SESSION,
        security=Security.BEARER_AND_COOKIE,
        reply=SuccessResponse(204, "Signed out; the cookie is cleared.", headers=("Set-Cookie",)),
        refused=(ErrorResponse(404, "No cookie, or that of another user", NO_TOKEN),),
    ),
    RestOperation(
        name="logout_all",
        methods=("POST",),
        path="/auth/logout_all/",
        tag="auth",
        summary="Sign out everywhere",
        handler=logout_all,
        access=SESSION,
        reply=SuccessResponse(204, "Signed out everywhere; the cookie is cleared.", headers=("Set-Cookie",)),
    ),
)
