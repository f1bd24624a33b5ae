"""Converts exceptions to GraphQL errors. Expected errors keep their text; bugs are masked and logged."""

from collections.abc import Iterable
from typing import Any, Final

from graphql import GraphQLError

from domain.errors import DomainError, Failure, FailureCode, RateLimited, Refusal
from observability.request_records import log_bug, record_error

ErrorDict = dict[str, Any]
"""One entry of `errors`: `message`, `extensions.code`, and `locations` and `path` if they are known."""

_INVALID_DOCUMENT_CODE: Final = FailureCode.BAD_REQUEST.value
_MAX_MESSAGE: Final = 1_000


def describe_all(errors: Iterable[Exception], *, request_id: str) -> list[ErrorDict]:
    """Convert all errors, sorted by path: concurrent fields fail in any order, but a response must not vary."""
    return [describe(error, request_id=request_id) for error in sorted(errors, key=_path_key)]


def describe(error: Exception, *, request_id: str) -> ErrorDict:
    """Convert one exception to an entry of `errors`.

    A `Failure` or `Refusal` keeps its text and code; `RateLimited` adds `retryAfter` in seconds. Errors of graphql-core
    (syntax, validation, variables) have the code `BAD_REQUEST`. Any other exception is a bug: the response contains
    only the request id, and the log contains the details.
    """
    cause = cause_of(error)
    if isinstance(cause, DomainError):
        described: ErrorDict = {"message": cause.message, "extensions": _extensions(cause)}
    elif isinstance(error, GraphQLError) and error.path is None:
        # Execution has not started. For a variable, the outer message has its name and the position of the error in it.
        described = {"message": _short(null_in_json(error.message)), "extensions": {"code": _INVALID_DOCUMENT_CODE}}
    elif isinstance(cause, GraphQLError) and cause.nodes:
        # An error of the document has the node where it is. An error without a node comes from a result that does not
        # fit the schema: that is a bug of the server.
        described = {"message": _short(null_in_json(cause.message)), "extensions": {"code": _INVALID_DOCUMENT_CODE}}
    else:
        described = _masked(cause, error, request_id)
    record_error(described["extensions"]["code"])
    return described | _location(error)


def cause_of(error: Exception) -> Exception:
    """The original exception, without the `GraphQLError`s that graphql-core wraps around it."""
    while isinstance(error, GraphQLError) and error.original_error is not None:
        error = error.original_error
    return error


def null_in_json(message: str) -> str:
    """Replace Python's None by JSON's null in a message of graphql-core."""
    return message.replace("not to be None", "not to be null")


def _short(message: str) -> str:
    # graphql-core quotes invalid values, a nested one several times: limit the message, or it may exceed the request.
    return message if len(message) <= _MAX_MESSAGE else f"{message[:_MAX_MESSAGE]} …"


def _extensions(error: DomainError) -> dict[str, Any]:
    if isinstance(error, RateLimited):
        return {"code": error.code.value, "retryAfter": error.retry_after}
    if isinstance(error, Failure | Refusal):
        return {"code": error.code.value}
    return {"code": FailureCode.BAD_REQUEST.value}


def _masked(cause: Exception, error: Exception, request_id: str) -> ErrorDict:
    # Log only the cause: the text of a GraphQLError quotes the document, which may contain a password.
    path = ".".join(map(str, getattr(error, "path", None) or ())) or "the request"
    log_bug(path, cause, request_id=request_id)
    return {
        "message": f"Something went wrong on our side. Please report request id {request_id}.",
        "extensions": {"code": FailureCode.INTERNAL.value, "requestId": request_id},
    }


def _location(error: Exception) -> ErrorDict:
    if not isinstance(error, GraphQLError):
        return {}
    location: ErrorDict = {}
    if error.locations:
        location["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
    if error.path is not None:
        location["path"] = error.path
    return location


def _path_key(error: Exception) -> list[tuple[bool, str | int]]:
    return [(isinstance(part, str), part) for part in getattr(error, "path", None) or ()]
