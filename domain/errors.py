"""The family of refusals.

    DomainError                   an expected, tellable refusal
    ├── Refusal                   a rule said no; told as data beside the payload
    │   ├── NotFound              absent, or not visible to the actor: the two look the same
    │   ├── Forbidden             visible, but this actor may not do this to it
    │   ├── Invalid               a value breaks a rule of its field
    │   ├── InvalidTransition     the board has no such move
    │   ├── Conflict              somebody else was first
    │   ├── InvalidCredentials    wrong name or password, and never which of the two
    │   ├── AlreadyExists         a unique name is taken
    │   ├── LastAdmin             somebody has to keep the keys
    │   └── IdempotencyMismatch   the key was used for another request
    └── Failure                   the request as a whole cannot be served
        ├── Unauthenticated       no valid sign-in
        ├── PermissionDenied            signed in, but this door is not for this role
        ├── RateLimited           too many tries; says when to come back
        ├── BadRequest            malformed: a bad cursor, a bad id
        ├── TooExpensive          beyond a limit of depth, size or cost
        ├── UnknownHash           of a document whose text was not sent yet
        └── Unavailable           a part is down; the same request may be sent again

Anything that is not a `DomainError` is a bug: edges mask it and log it.
"""

from enum import StrEnum


class ErrorCode(StrEnum):
    """Why a rule refused, in one stable word."""

    NOT_FOUND = "NOT_FOUND"
    FORBIDDEN = "FORBIDDEN"
    INVALID = "INVALID"
    INVALID_TRANSITION = "INVALID_TRANSITION"
    CONFLICT = "CONFLICT"
    INVALID_CREDENTIALS = "INVALID_CREDENTIALS"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    LAST_ADMIN = "LAST_ADMIN"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"


class FailureCode(StrEnum):
    """Why a request could not be served, as `extensions.code` says it."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    RATE_LIMITED = "RATE_LIMITED"
    BAD_REQUEST = "BAD_REQUEST"
    TOO_EXPENSIVE = "TOO_EXPENSIVE"
    UNAVAILABLE = "UNAVAILABLE"
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
    INTERNAL = "INTERNAL"


class DomainError(Exception):
    """An expected refusal; `message` is meant for the person who asked."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Refusal(DomainError):
    """A rule said no. `path` mirrors the input: the form field that the message belongs to."""

    code: ErrorCode

    def __init__(self, message: str, *, path: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.path = path


class NotFound(Refusal):
    """Absent, or not visible to the actor."""

    code = ErrorCode.NOT_FOUND


class Forbidden(Refusal):
    """The actor may look at it, but not do this to it."""

    code = ErrorCode.FORBIDDEN


class Invalid(Refusal):
    """A value breaks a rule of its field."""

    code = ErrorCode.INVALID


class InvalidTransition(Refusal):
    """The board has no such move."""

    code = ErrorCode.INVALID_TRANSITION


class Conflict(Refusal):
    """The object changed since the caller looked at it; `version` is the one that it is at now."""

    code = ErrorCode.CONFLICT

    def __init__(self, message: str, *, path: tuple[str, ...] = (), version: int) -> None:
        super().__init__(message, path=path)
        self.version = version


class InvalidCredentials(Refusal):
    """The sign-in was not accepted; which part was wrong is never said."""

    code = ErrorCode.INVALID_CREDENTIALS


class AlreadyExists(Refusal):
    """A name that must be unique is taken."""

    code = ErrorCode.ALREADY_EXISTS


class LastAdmin(Refusal):
    """The last active admin can be neither demoted nor disabled."""

    code = ErrorCode.LAST_ADMIN


class IdempotencyMismatch(Refusal):
    """An idempotency key came again with another request."""

    code = ErrorCode.IDEMPOTENCY_MISMATCH


class Failure(DomainError):
    """The request as a whole cannot be served."""

    code: FailureCode


class Unauthenticated(Failure):
    """There is no valid sign-in behind this request."""

    code = FailureCode.UNAUTHENTICATED


class PermissionDenied(Failure):
    """The actor is known, and this door is not for its role."""

    code = FailureCode.FORBIDDEN


class RateLimited(Failure):
    """Too many tries; `retry_after` is in whole seconds, at least 1."""

    code = FailureCode.RATE_LIMITED

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = max(1, retry_after)


class BadRequest(Failure):
    """The request is malformed."""

    code = FailureCode.BAD_REQUEST


class TooExpensive(Failure):
    """The request is beyond a limit that is written in the schema."""

    code = FailureCode.TOO_EXPENSIVE


class UnknownHash(Failure):
    """A document is asked for by its hash, and its text is not known here (any more): send both."""

    code = FailureCode.PERSISTED_QUERY_NOT_FOUND

    def __init__(self) -> None:
        # Clients compare this very text.
        super().__init__("PersistedQueryNotFound")


class Unavailable(Failure):
    """A part that is needed is down or overloaded; trying again is safe."""

    code = FailureCode.UNAVAILABLE
