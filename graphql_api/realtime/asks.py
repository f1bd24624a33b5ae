"""What the tail may want to know of the log: plain data, so that anything can answer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AskHead:
    """How far does the log reach? *told* is where the tail stood when it asked."""

    told: int


@dataclass(frozen=True, slots=True)
class AskNumbering:
    """Let everything committed be given its position."""


@dataclass(frozen=True, slots=True)
class AskAccess:
    """Which changes of rights are there behind *after*, up to and with *up_to*?"""

    after: int
    up_to: int


@dataclass(frozen=True, slots=True)
class AskPage:
    """Which events are there behind *after*?"""

    after: int


Ask = AskHead | AskNumbering | AskAccess | AskPage
