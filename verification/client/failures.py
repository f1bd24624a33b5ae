"""How a request to a server can fail.

Failed
├── Unreachable   no answer: it is unknown whether the request was executed
├── Refused       an error response, with its code
│   ├── Away          UNAVAILABLE: like Unreachable, because a commit may have been in progress
│   └── NewerServer   the response has a value that this version does not know
└── Ended         a WebSocket was closed, with its code
"""

from typing import Final

NEWER_SERVER: Final = "NEWER_SERVER"


class Failed(Exception):
    """A request failed; the text is for users."""


class Unreachable(Failed):
    """No answer: it is unknown whether the request was executed."""


class Refused(Failed):
    """The server answered with an error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Away(Refused):
    """UNAVAILABLE, or 503: it is unknown whether the request was executed."""


class NewerServer(Refused):
    """The response has a value that this version does not know."""

    def __init__(self, what: str) -> None:
        super().__init__(
            NEWER_SERVER,
            f"This version of `taskriver` does not know the server's {what}: use the server's version of the command.",
        )


class Ended(Failed):
    """The WebSocket is closed; *code* is 1006 if there was no close frame."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}".strip())
        self.code = code
