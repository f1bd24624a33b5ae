"""Whatever was raised, as one GraphQL error: told when it was expected, masked and logged when it is a bug."""

from collections.abc import Iterable
from typing import Any, Final

from graphql import GraphQLError

from domain.errors import DomainError, Failure, FailureCode, RateLimited, Refusal
from observability.request_records import log_bug, record_error

ErrorDict = dict[str, Any]
"""One entry of `errors`: `message`, `extensions.code`, and `locations` and `path` where they are known."""

_CODE_REFUSED_BY_GRAPHQL: Final = FailureCode.BAD_REQUEST.value
_MAX_MESSAGE: Final = 1_000


def describe_all(errors: Iterable[Exception], *, request_id: str) -> list[ErrorDict]:
    """Every error described, in the order of their paths: concurrent fields fail in any order, answers should not."""
    return [describe(error, request_id=request_id) for error in sorted(errors, key=_position)]


def describe(error: Exception, *, request_id: str) -> ErrorDict:
    """One error as GraphQL tells it.

    A `Failure` and a `Refusal` keep their text and code, `RateLimited` adds `retryAfter` in seconds. What
    graphql-core itself refuses (syntax, validation, variables) is `BAD_REQUEST`. Anything else is a bug: the answer
    names only the request id, and the log has the rest.
    """
    cause = cause_of(error)
    if isinstance(cause, DomainError):
        told: ErrorDict = {"message": cause.message, "extensions": _extensions(cause)}
    elif isinstance(error, GraphQLError) and error.path is None:
        # Nothing has run yet. Of a refused variable the outer text says which one it is, and where in it.
        told = {"message": _short(null_in_json(error.message)), "extensions": {"code": _CODE_REFUSED_BY_GRAPHQL}}
    elif isinstance(cause, GraphQLError) and cause.nodes:
        # graphql-core points at the node of the document that it refuses. What has none came from a result that does
        # not fit the schema, and that is ours.
        told = {"message": _short(null_in_json(cause.message)), "extensions": {"code": _CODE_REFUSED_BY_GRAPHQL}}
    else:
        told = _masked(cause, error, request_id)
    record_error(told["extensions"]["code"])
    return told | _place(error)


def cause_of(error: Exception) -> Exception:
    """What was raised first, under everything that graphql-core wrapped around it."""
    while isinstance(error, GraphQLError) and error.original_error is not None:
        error = error.original_error
    return error


def null_in_json(message: str) -> str:
    """A message of graphql-core, which calls null None in some."""
    return message.replace("not to be None", "not to be null")


def _short(message: str) -> str:
    # graphql-core quotes what it refuses, many times over when it is nested: an answer should not dwarf its request.
    return message if len(message) <= _MAX_MESSAGE else f"{message[:_MAX_MESSAGE]} …"


def _extensions(error: DomainError) -> dict[str, Any]:
    if isinstance(error, RateLimited):
        return {"code": error.code.value, "retryAfter": error.retry_after}
    if isinstance(error, Failure | Refusal):
        return {"code": error.code.value}
    return {"code": FailureCode.BAD_REQUEST.value}


def _masked(cause: Exception, error: Exception, request_id: str) -> ErrorDict:
    # The text of a GraphQLError quotes the document, and a document may hold a password: only its cause is logged.
    path = ".".join(map(str, getattr(error, "path", None) or ())) or "the request"
    log_bug(path, cause, request_id=request_id)
    return {
        "message": f"Something went wrong on our side. Please report request id {request_id}.",
        "extensions": {"code": FailureCode.INTERNAL.value, "requestId": request_id},
    }


def _place(error: Exception) -> ErrorDict:
    if not isinstance(error, GraphQLError):
        return {}
    place: ErrorDict = {}
    if error.locations:
        place["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
    if error.path is not None:
        place["path"] = error.path
    return place


def _position(error: Exception) -> list[tuple[bool, str | int]]:
    return [(isinstance(part, str), part) for part in getattr(error, "path", None) or ()]
