"""The refusals that an endpoint gives because of what it is: one table, which the description is made of.

What only one endpoint says no to is in its own `Operation.refused`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from asgi.origins import ORIGIN_MISSING, ORIGIN_NOT_ALLOWED
from domain.idempotency import MAX_KEYS, SEVERAL_KEYS, keys_used_up
from graphql_api.auth.accounts import TOO_MANY_HASHES
from graphql_api.auth.cookies import AmbiguousCookie
from graphql_api.auth.hash_queue import ACCOUNT_BUSY, BUSY
from rest_api.etags import malformed, too_long
from rest_api.operation import SAFE_METHODS, Operation, Refused

_RETRY_AFTER: Final = ("Retry-After",)


@dataclass(frozen=True, slots=True)
class _Rule:
    """Which operations, asked by which method, give these refusals."""

    applies: Callable[[Operation, str], bool]
    refused: tuple[Refused, ...]


_RULES: Final = (
    _Rule(
        lambda operation, method: method not in SAFE_METHODS,
        (
            Refused(403, "A page of another site sent it", ORIGIN_NOT_ALLOWED),
            Refused(403, "A page of another site sent it, and its browser does not say which", ORIGIN_MISSING),
        ),
    ),
    _Rule(
        lambda operation, method: operation.door.needs_bearer,
        tuple(
            Refused(401, when, detail, headers=("WWW-Authenticate",))
            for when, detail in (
                ("No token", "Not authenticated"),
                ("Not a token of ours, or its session is over", "Invalid token"),
                ("Its time is over", "Token has expired"),
            )
        ),
    ),
    _Rule(
        lambda operation, method: operation.door.reads_cookie,
        (Refused(400, "Two refresh cookies that differ", AmbiguousCookie().message, headers=("Set-Cookie",)),),
    ),
    _Rule(
        lambda operation, method: operation.body is not None,
        (
            Refused(408, "The body does not come", "The body did not arrive within 10 s."),
            Refused(413, "The body is too large", "The body is larger than 262,144 bytes."),
            Refused(415, "The body is compressed", "Send the body uncompressed: Content-Encoding is not supported."),
        ),
    ),
    _Rule(
        lambda operation, method: "If-Match" in operation.headers,
        (
            Refused(400, "The condition is malformed", malformed("If-Match")),
            Refused(400, "The condition is too long", too_long("If-Match")),
            Refused(
                412,
                "If-Match names another version",
                "The task is at version 2, not 1: somebody changed it. Load it again, then repeat.",
                headers=("ETag",),
            ),
        ),
    ),
    _Rule(
        lambda operation, method: "If-None-Match" in operation.headers,
        (
            Refused(
                400, "The condition is malformed", 'If-None-Match must be * or entity tags in quotes, such as "3".'
            ),
            Refused(400, "The condition is too long", too_long("If-None-Match")),
        ),
    ),
    _Rule(
        lambda operation, method: "Idempotency-Key" in operation.headers,
        (
            Refused(
                400,
                "The key is malformed",
                "An idempotency key is 1 to 255 visible ASCII characters, such as a UUID.",
            ),
            Refused(400, "There are two keys", SEVERAL_KEYS),
            Refused(
                409,
                "The key was used before",
                "This idempotency key was used for another request: every new one needs its own.",
            ),
            Refused(429, "The account has used too many keys", keys_used_up(MAX_KEYS), headers=_RETRY_AFTER),
        ),
    ),
    _Rule(
        lambda operation, method: operation.hashes_password,
        (
            Refused(429, "Too many password hashes for this address", TOO_MANY_HASHES, headers=_RETRY_AFTER),
            Refused(429, "Too many of this account wait", ACCOUNT_BUSY, headers=_RETRY_AFTER),
            Refused(503, "Too many people sign in", BUSY, headers=_RETRY_AFTER),
        ),
    ),
    _Rule(
        lambda operation, method: True,
        (
            Refused(
                503,
                "A part is down",
                "The database cannot answer right now; try again in a moment.",
                headers=_RETRY_AFTER,
            ),
        ),
    ),
)


def refusals(operation: Operation, method: str) -> tuple[Refused, ...]:
    """Every refusal of an endpoint, asked by one of its methods, but the 422."""
    general = (refused for rule in _RULES if rule.applies(operation, method) for refused in rule.refused)
    return (*operation.refused, *general)
