"""The exceptions for expected errors.

    DomainError                   an expected error, with a message for the user
    ├── Refusal                   a rule refuses the change; returned as data in the payload
    │   ├── NotFound              absent, or not visible to the actor: the two look the same
    │   ├── Forbidden             visible, but the actor may not do this
    │   ├── Invalid               a value breaks a rule of its field
    │   ├── InvalidTransition     the change of status is not allowed
    │   ├── Conflict              the object was changed in the meantime
    │   ├── InvalidCredentials    wrong name or password, without saying which
    │   ├── AlreadyExists         a unique name is taken
    │   ├── LastAdmin             there must be at least one active admin
    │   ├── LastManager           a project must have at least one active manager
    │   └── IdempotencyMismatch   the key was used for another request
    └── Failure                   the whole request cannot be served
        ├── Unauthenticated       no valid sign-in
        ├── PermissionDenied      signed in, but not allowed for the user's role
        ├── RateLimited           too many attempts, with the time to wait
        ├── BadRequest            malformed: a bad cursor, a bad id
        ├── TooExpensive          beyond a limit of depth, size or cost
        ├── UnknownHash           the document of this hash is unknown; its text must be sent
        ├── UnknownDocument       no trusted document has this id
        ├── UntrustedDocument     the document is not trusted, and only trusted ones are executed
        └── Unavailable           a dependency is down; the same request can be repeated

Any other exception is a bug: the APIs log it, and do not send its message to the client.
"""

from enum import StrEnum


class ErrorCode(StrEnum):
    """The stable code of a `Refusal`."""

    NOT_FOUND = "NOT_FOUND"
    FORBIDDEN = "FORBIDDEN"
    INVALID = "INVALID"
    INVALID_TRANSITION = "INVALID_TRANSITION"
    CONFLICT = "CONFLICT"
    INVALID_CREDENTIALS = "INVALID_CREDENTIALS"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    LAST_ADMIN = "LAST_ADMIN"
    LAST_MANAGER = "LAST_MANAGER"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"


class FailureCode(StrEnum):
    """The stable code of a `Failure`, as in `extensions.code`."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    RATE_LIMITED = "RATE_LIMITED"
    BAD_REQUEST = "BAD_REQUEST"
    TOO_EXPENSIVE = "TOO_EXPENSIVE"
    UNAVAILABLE = "UNAVAILABLE"
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
    DOCUMENT_NOT_FOUND = "DOCUMENT_NOT_FOUND"
    UNTRUSTED_DOCUMENT = "UNTRUSTED_DOCUMENT"
    INTERNAL = "INTERNAL"


class DomainError(Exception):
    """An expected error; `message` is for the user."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Refusal(DomainError):
    """A rule refuses the change. `path` is the input field to which the message belongs."""

    code: ErrorCode

    def __init__(self, message: str, *, path: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.path = path


class NotFound(Refusal):
    """Absent, or not visible to the actor."""

    code = ErrorCode.NOT_FOUND


class Forbidden(Refusal):
    """The actor may see the object, but not do this."""

    code = ErrorCode.FORBIDDEN


class Invalid(Refusal):
    """A value breaks a rule of its field."""

    code = ErrorCode.INVALID


class InvalidTransition(Refusal):
    """The change of status is not allowed."""

    code = ErrorCode.INVALID_TRANSITION


class Conflict(Refusal):
    """The object was changed since the client loaded it; `version` is the current version."""

    code = ErrorCode.CONFLICT

    def __init__(self, message: str, *, path: tuple[str, ...] = (), version: int) -> None:
        super().__init__(message, path=path)
        self.version = version


class InvalidCredentials(Refusal):
    """The sign-in failed; the message never says which part is wrong."""

    code = ErrorCode.INVALID_CREDENTIALS


class AlreadyExists(Refusal):
    """A name that must be unique is taken."""

    code = ErrorCode.ALREADY_EXISTS


class LastAdmin(Refusal):
    """The last active admin cannot lose the role and cannot be disabled."""

    code = ErrorCode.LAST_ADMIN


class LastManager(Refusal):
    """The last active manager of a project cannot lose the role and cannot leave."""

    code = ErrorCode.LAST_MANAGER


class IdempotencyMismatch(Refusal):
    """The idempotency key was used for another request."""

    code = ErrorCode.IDEMPOTENCY_MISMATCH


class Failure(DomainError):
    """The whole request cannot be served."""

    code: FailureCode


class Unauthenticated(Failure):
    """The request has no valid sign-in."""

    code = FailureCode.UNAUTHENTICATED


class PermissionDenied(Failure):
    """The actor's role may not use this operation."""

    code = FailureCode.FORBIDDEN


class RateLimited(Failure):
    """Too many attempts; `retry_after` is in whole seconds, at least 1."""

    code = FailureCode.RATE_LIMITED

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = max(1, retry_after)


class BadRequest(Failure):
    """The request is malformed."""

    code = FailureCode.BAD_REQUEST


class TooExpensive(Failure):
    """The request exceeds a limit of depth, size or cost."""

    code = FailureCode.TOO_EXPENSIVE


class UnknownHash(Failure):
    """The request has the hash of a document that this server does not know (any more): send the text, too."""

    code = FailureCode.PERSISTED_QUERY_NOT_FOUND

    def __init__(self) -> None:
        # Clients compare this text.
        super().__init__("PersistedQueryNotFound")


class UnknownDocument(Failure):
    """No trusted document of this server has the id of the request."""

    code = FailureCode.DOCUMENT_NOT_FOUND

    def __init__(self, document_id: str) -> None:
        super().__init__(
            f"The document {document_id[:100]!r} is unknown: add its manifest with `taskriver documents add`."
        )


class UntrustedDocument(Failure):
    """The document is not among the trusted ones, and this server executes no others."""

    code = FailureCode.UNTRUSTED_DOCUMENT

    def __init__(self) -> None:
        super().__init__(
            "This server executes only trusted documents, and this is none: add the manifest that has it with "
            "`taskriver documents add`."
        )


class Unavailable(Failure):
    """A dependency is down or overloaded; the request can be repeated."""

    code = FailureCode.UNAVAILABLE
