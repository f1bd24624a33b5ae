"""Operations on users: register, and read the own user."""

from typing import Annotated, Final, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from asgi.response import HTTPResponse
from domain.registration import CLOSED, INVITED_ONLY
from domain.user import (
    MAX_EMAIL,
    MAX_PASSWORD_BYTES,
    MAX_USERNAME,
    MIN_PASSWORD,
    MIN_USERNAME,
    check_email,
    check_password,
    check_username,
)
from graphql_api.auth.access_rules import ACCOUNT, PUBLIC
from graphql_api.auth.accounts import TOO_MANY_REGISTRATIONS
from persistence.models import UserRow
from rest_api.operation import Call, ErrorResponse, NoParams, Problem, RestOperation, Security, SuccessResponse
from rest_api.responses import one
from rest_api.validators import rule
from services import user as user_service

USER: Final[JsonDict] = {
    "username": "grace",
    "email": "grace@example.org",
    "uuid": "0199e2a4-7c1e-7b52-9f3a-5d1c2b7e8f60",
}


class Registration(BaseModel):
    """A new user."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"username": "grace", "email": "grace@example.org", "password": "Correct-horse1"}]
        },
    )

    username: Annotated[str, rule(check_username)] = Field(
        description="Letters, digits, '.', '-' and '_', with a letter or digit at both ends.",
        json_schema_extra={
            "minLength": MIN_USERNAME,
            "maxLength": MAX_USERNAME,
            "pattern": r"^[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]$",
        },
    )
    email: Annotated[str, rule(check_email)] = Field(
        description="An e-mail address.", json_schema_extra={"format": "email", "maxLength": MAX_EMAIL}
    )
    password: Annotated[str, rule(check_password)] = Field(
        description="Upper-case and lower-case letters, a digit and a symbol, no spaces; at most "
        f"{MAX_PASSWORD_BYTES:,} bytes.",
        json_schema_extra={"format": "password", "minLength": MIN_PASSWORD, "maxLength": MAX_PASSWORD_BYTES},
    )


class User(BaseModel):
    """A user."""

    model_config = ConfigDict(json_schema_extra={"examples": [USER]})

    username: str = Field(description="The name to sign in with.")
    email: str = Field(description="The e-mail address.")
    uuid: UUID = Field(description="The id of the user.")

    @classmethod
    def of(cls, row: UserRow) -> Self:
        """The JSON model of a row."""
        return cls(username=row.username, email=row.email, uuid=row.id)


async def register(call: Call[NoParams, Registration]) -> HTTPResponse:
    """Register a user."""
    row = await call.backend.accounts.register(
        call.request.client,
        username=call.body.username,
        email=call.body.email,
        password=call.body.password,
        request_id=call.request.request_id,
    )
    return one(User.of(row), status=201)


async def about_me(call: Call[NoParams, None]) -> HTTPResponse:
    """Return the signed-in user."""
    return one(User.of(await user_service.get_user(call.unit_of_work(), user_id=call.actor.user_id)))


OPERATIONS: Final = (
    RestOperation(
        name="register",
        methods=("POST",),
        path="/auth/register/",
        tag="auth",
        summary="Register",
        text="Creates a user with the role USER. The user is not signed in.",
        handler=register,
        access=PUBLIC,
        security=Security.PUBLIC,
        body=Registration,
        hashes_password=True,
        reply=SuccessResponse(201, "The new user.", User),
        refused=(
            ErrorResponse(400, "The name is taken", "A user with this name already exists"),
            ErrorResponse(400, "The address is taken", "A user with this email already exists"),
            ErrorResponse(403, "Nobody may register", CLOSED),
            ErrorResponse(403, "Only invited users may register", INVITED_ONLY),
            ErrorResponse(429, "Too many registrations", TOO_MANY_REGISTRATIONS, headers=("Retry-After",)),
        ),
        problem=Problem("password", "password must not contain spaces."),
    ),
    RestOperation(
        name="about_me",
        methods=("GET",),
        path="/users/about_me/",
        tag="users",
        summary="Get my user",
        handler=about_me,
        access=ACCOUNT,
        reply=SuccessResponse(200, "The signed-in user.", User),
    ),
)
