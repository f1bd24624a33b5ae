"""How asking a server can fail.

Failed
├── Unreachable   nobody answered: whether it was done is not known
├── Refused       an answer that says no, with its code
│   └── Away      UNAVAILABLE: like Unreachable, since a commit may have been under way
└── Ended         a socket was closed, with its code
"""


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


class Ended(Failed):
    """The socket is closed; *code* is 1006 if nobody said why."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}".strip())
        self.code = code
