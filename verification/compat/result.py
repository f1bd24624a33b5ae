"""The result of one check."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from verification.compat.http import CompatResponse


class Verdict(StrEnum):
    """How the server's behaviour compares with the older API."""

    MATCHES = "matches"
    ON_PURPOSE = "on purpose"
    DIFFERS = "differs"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One row of the table; *told* is the difference, and a key of `--json`."""

    what: str
    verdict: Verdict
    told: str


class Differs(Exception):
    """The behaviour differs from the older API; the text says how."""


class OnPurpose(Exception):
    """The behaviour differs from the older API in a way that Taskriver intends; the text says why."""


class NotTried(Exception):
    """The check could not run; the text says what is missing."""


def expect(reply: CompatResponse, status: int, detail: str | None = None) -> None:
    """Check that the reply has this status, and this message if one is given.

    Raises:
        Differs: the reply differs.
    """
    if reply.status != status:
        raise Differs(f"{reply.summary} instead of {status}")
    if detail is not None and reply.detail != detail:
        raise Differs(f"{reply.summary} instead of {detail!r}")


def expect_keys(value: object, first: Collection[str], *, exactly: bool = False) -> None:
    """Check that the value is an object that begins with these fields; with *exactly* it must have no others.

    Raises:
        Differs: the fields differ.
    """
    found = list(value) if isinstance(value, dict) else []
    if found[: len(first)] != list(first) or (exactly and len(found) > len(first)):
        raise Differs(f"has {', '.join(found) or 'no fields'} instead of {', '.join(first)}")


def expect_that(is_so: bool, otherwise: str) -> None:
    """Check a condition.

    Raises:
        Differs: *is_so* is false; *otherwise* is the difference.
    """
    if not is_so:
        raise Differs(otherwise)


def either(reply: CompatResponse, *, before: int, now: int, why: str) -> None:
    """Check that the reply has the status of the older API, or the one that Taskriver intends.

    Raises:
        OnPurpose: it has the status *now*.
        Differs: it has neither.
    """
    if reply.status == now:
        raise OnPurpose(f"{now} instead of {before}: {why}")
    if reply.status != before:
        raise Differs(f"{reply.summary} instead of {before}")
