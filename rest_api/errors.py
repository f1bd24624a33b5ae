"""Turns exceptions into responses of the older API. Unexpected exceptions are logged and masked."""

from typing import Final

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from asgi.errors import (
    BEARER,
    ExpiredToken,
    HTTPError,
    InvalidToken,
    MissingToken,
    RevokedToken,
    insufficient_scope,
)
from asgi.request_context import Header
from asgi.response import HTTPResponse
from domain.access_token import MissingScope
from domain.errors import (
    AlreadyExists,
    Conflict,
    DomainError,
    Failure,
    FailureCode,
    Forbidden,
    IdempotencyMismatch,
    Invalid,
    InvalidCredentials,
    InvalidTransition,
    LastAdmin,
    LastManager,
    NotFound,
    PermissionDenied,
    RateLimited,
    Refusal,
    Unauthenticated,
    Unavailable,
)
from domain.identity import PasswordsDisabled
from domain.registration import RegistrationRefused
from observability.request_records import log_bug, record_error
from rest_api.etags import etag

INSUFFICIENT: Final = "Insufficient permissions"
BODY: Final = "body"

_RETRY_AFTER_UNAVAILABLE: Final = 1
_STATUS: Final[dict[type[DomainError], int]] = {
    Unauthenticated: 401,
    InvalidCredentials: 401,
    Forbidden: 403,
    PermissionDenied: 403,
    NotFound: 404,
    InvalidTransition: 409,
    LastAdmin: 409,
    LastManager: 409,
    IdempotencyMismatch: 409,
    Conflict: 412,
    RateLimited: 429,
    Unavailable: 503,
    AlreadyExists: 400,
}
_MESSAGES: Final = {"model_type": "Input should be an object", "uuid_parsing": "Input should be a valid UUID"}
"""Replacements for pydantic messages that name Python classes or quote the input."""


class Detail(BaseModel):
    """The reason why a request was refused."""

    model_config = ConfigDict(title="Error")

    detail: str = Field(description="The reason, as text for users.")


class FieldProblem(BaseModel):
    """One value that breaks a rule."""

    field: str = Field(description="The name of the field; `body` for the body as a whole.")
    message: str = Field(description="What is wrong with it.")


class ValidationProblems(BaseModel):
    """All values that break a rule."""

    model_config = ConfigDict(title="ValidationError")

    error: str = Field("Validation error", description="Always `Validation error`.")
    details: list[FieldProblem] = Field(description="The problem of each value.")
    body: None = Field(None, description="Always null: the input may contain a password and is not sent back.")


class InvalidRequest(Exception):
    """Values of the request break rules; `problems` has a message for each field."""

    def __init__(self, *problems: FieldProblem) -> None:
        super().__init__(", ".join(problem.field for problem in problems))
        self.problems = list(problems)

    @classmethod
    def of(cls, error: ValidationError) -> "InvalidRequest":
        """The problems that pydantic found, without the input values."""
        return cls(*(_problem(each) for each in error.errors(include_url=False, include_context=False)))


def response_for(error: Exception, *, request_id: str) -> HTTPResponse:
    """The response for an exception."""
    record_error(_code(error))
    match error:
        case HTTPError():
            return refusal(error.status, error.error.message, *error.headers)
        case InvalidRequest():
            return _problems(error.problems)
        case Invalid():
            return _problems([FieldProblem(field=error.path[-1] if error.path else BODY, message=error.message)])
        case DomainError():
            return refusal(_status(error), _text(error), *_headers(error))
    log_bug("the request", error, request_id=request_id)
    return refusal(500, f"Something went wrong on our side. Please report request id {request_id}.")


def refusal(status: int, text: str, *headers: Header) -> HTTPResponse:
    """An error response with the message *text*."""
    return HTTPResponse(status, orjson.dumps({"detail": text}), headers=list(headers))


def _code(error: Exception) -> str:
    match error:
        case HTTPError():
            return _code(error.error)
        case InvalidRequest():
            return FailureCode.BAD_REQUEST.value
        case Failure() | Refusal():
            return error.code.value
    return FailureCode.INTERNAL.value


def _problems(problems: list[FieldProblem]) -> HTTPResponse:
    return HTTPResponse(422, ValidationProblems(details=problems).model_dump_json().encode())


def _problem(found: ErrorDetails) -> FieldProblem:
    field = ".".join(str(part) for part in found["loc"][:1]) or BODY
    return FieldProblem(field=field, message=_MESSAGES.get(found["type"], found["msg"]))


def _status(error: DomainError) -> int:
    return next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 400)


def _text(error: DomainError) -> str:
    """The message. Where the older API had the same error, the text is that of the older API."""
    match error:
        case MissingScope() | RegistrationRefused() | PasswordsDisabled():
            return error.message
        case Forbidden() | PermissionDenied():
            return INSUFFICIENT
        case MissingToken():
            return "Not authenticated"
        case InvalidToken() | RevokedToken():
            return "Invalid token"
        case ExpiredToken():
            return "Token has expired"
    return error.message


def _headers(error: DomainError) -> list[Header]:
    match error:
        case MissingScope():
            return [insufficient_scope(error)]
        case Unauthenticated() | InvalidCredentials():
            return [BEARER]
        case Conflict():
            return [(b"etag", etag(error.version))]
        case RateLimited():
            return [_retry_after(error.retry_after)]
        case Unavailable():
            return [_retry_after(_RETRY_AFTER_UNAVAILABLE)]
    return []


def _retry_after(seconds: int) -> Header:
    return (b"retry-after", b"%d" % seconds)
