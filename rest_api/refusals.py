"""The error responses that follow from the properties of an operation, for the OpenAPI document.

The errors of a single operation are in its `RestOperation.refused`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from asgi.origins import ORIGIN_MISSING, ORIGIN_NOT_ALLOWED
from domain.access_token import missing_scope
from domain.idempotency import MAX_KEYS, SEVERAL_KEYS, keys_used_up
from graphql_api.auth.access_rules import AccessRule, SignedInRule
from graphql_api.auth.accounts import TOO_MANY_HASHES
from graphql_api.auth.cookies import AmbiguousCookie
from graphql_api.auth.hash_queue import ACCOUNT_BUSY, BUSY
from graphql_api.auth.write_limits import no_writes_left
from rest_api.etags import malformed, too_long
from rest_api.operation import SAFE_METHODS, ErrorResponse, RestOperation

WRITES: Final = 60_000
"""The default of `WRITES_PER_USER`, for the example of the refusal."""

_RETRY_AFTER: Final = ("Retry-After",)
_WRITES_LEFT: Final = ("Retry-After", "RateLimit-Policy", "RateLimit")


@dataclass(frozen=True, slots=True)
class _Rule:
    """Error responses, and the operations and methods to which they apply."""

    applies: Callable[[RestOperation, str], bool]
    refused: tuple[ErrorResponse, ...]


_RULES: Final = (
    _Rule(
        lambda operation, method: method not in SAFE_METHODS,
        (
            ErrorResponse(403, "A page of another site sent the request", ORIGIN_NOT_ALLOWED),
            ErrorResponse(403, "A page of another site sent the request, without its origin", ORIGIN_MISSING),
        ),
    ),
    _Rule(
        lambda operation, method: operation.security.needs_bearer,
        tuple(
            ErrorResponse(401, when, detail, headers=("WWW-Authenticate",))
            for when, detail in (
                ("No token", "Not authenticated"),
                ("The token is invalid, or its session has ended", "Invalid token"),
                ("The token has expired", "Token has expired"),
            )
        ),
    ),
    _Rule(
        lambda operation, method: operation.security.reads_cookie,
        (ErrorResponse(400, "Two different refresh cookies", AmbiguousCookie().message, headers=("Set-Cookie",)),),
    ),
    _Rule(
        lambda operation, method: operation.body is not None,
        (
            ErrorResponse(408, "The body does not arrive", "The body did not arrive within 10 s."),
            ErrorResponse(413, "The body is too large", "The body is larger than 262,144 bytes."),
            ErrorResponse(
                415, "The body is compressed", "Send the body uncompressed: Content-Encoding is not supported."
            ),
        ),
    ),
    _Rule(
        lambda operation, method: "If-Match" in operation.headers,
        (
            ErrorResponse(400, "The condition is malformed", malformed("If-Match")),
            ErrorResponse(400, "The condition is too long", too_long("If-Match")),
            ErrorResponse(
                412,
                "If-Match names another version",
                "The task is at version 2, not 1: it was changed in the meantime. Load it again, then repeat.",
                headers=("ETag",),
            ),
        ),
    ),
    _Rule(
        lambda operation, method: "If-None-Match" in operation.headers,
        (
            ErrorResponse(
                400, "The condition is malformed", 'If-None-Match must be * or entity tags in quotes, such as "3".'
            ),
            ErrorResponse(400, "The condition is too long", too_long("If-None-Match")),
        ),
    ),
    _Rule(
        lambda operation, method: "Idempotency-Key" in operation.headers,
        (
            ErrorResponse(
                400,
                "The key is malformed",
                "An idempotency key is 1 to 255 visible ASCII characters, such as a UUID.",
            ),
            ErrorResponse(400, "There are two keys", SEVERAL_KEYS),
            ErrorResponse(
                409,
                "The key was used before",
                "This idempotency key was used for another request. Use a new key for each request.",
            ),
            ErrorResponse(429, "The account has used too many keys", keys_used_up(MAX_KEYS), headers=_RETRY_AFTER),
            ErrorResponse(429, "The user has no writes left", no_writes_left("user", WRITES), headers=_WRITES_LEFT),
        ),
    ),
    _Rule(
        lambda operation, method: operation.hashes_password,
        (
            ErrorResponse(429, "Too many password hashes for this address", TOO_MANY_HASHES, headers=_RETRY_AFTER),
            ErrorResponse(429, "Too many requests of this account are waiting", ACCOUNT_BUSY, headers=_RETRY_AFTER),
            ErrorResponse(503, "Too many sign-ins at the same time", BUSY, headers=_RETRY_AFTER),
        ),
    ),
    _Rule(
        lambda operation, method: True,
        (
            ErrorResponse(
                503,
                "A part is down",
                "The database is temporarily unavailable; try again in a moment.",
                headers=_RETRY_AFTER,
            ),
        ),
    ),
)


def refusals(operation: RestOperation, method: str) -> tuple[ErrorResponse, ...]:
    """All error responses of an operation with one of its methods, except 422."""
    general = (refused for rule in _RULES if rule.applies(operation, method) for refused in rule.refused)
    return (*operation.refused, *_of_tokens(operation.access), *general)


def _of_tokens(access: AccessRule) -> tuple[ErrorResponse, ...]:
    """The refusal of a personal access token without the scope."""
    if not isinstance(access, SignedInRule):
        return ()
    when = "A personal access token without the scope" if access.needed else "A personal access token"
    return (ErrorResponse(403, when, missing_scope(access.needed), headers=("WWW-Authenticate",)),)
