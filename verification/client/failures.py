"""How asking a server can fail.

Failed
├── Unreachable   nobody answered: whether it was done is not known
├── Refused       an answer that says no, with its code
│   ├── Away          UNAVAILABLE: like Unreachable, since a commit may have been under way
│   └── NewerServer   the answer holds something that this version does not know
└── Ended         a socket was closed, with its code
"""

from typing import Final

NEWER_SERVER: Final = "NEWER_SERVER"


class Failed(Exception):
    """The text is for people."""


class Unreachable(Failed):
    """Nobody answered: whether it was done is not known."""


class Refused(Failed):
    """The server's answer is no."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Away(Refused):
    """UNAVAILABLE, or 503: whether it was done is not known."""


class NewerServer(Refused):
    """The answer holds something that this version does not know."""

    def __init__(self, what: str) -> None:
        super().__init__(
            NEWER_SERVER, f"The server's {what} is not known to this version: use the command of the server's version."
        )


class Ended(Failed):
    """The socket is closed; *code* is 1006 if nobody said why."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}".strip())
        self.code = code
