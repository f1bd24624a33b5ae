"""What was found about one thing that a client relies on."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from verification.compat.http import Reply


class Verdict(StrEnum):
    """How a server's answer compares with the older API's."""

    MATCHES = "matches"
    ON_PURPOSE = "on purpose"
    DIFFERS = "differs"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of the table."""

    what: str
    verdict: Verdict
    told: str


class Differs(Exception):
    """It is not as the older API was; says how."""


class OnPurpose(Exception):
    """It is not as the older API was, in the way in which Taskriver is not, on purpose; says why."""


class NotTried(Exception):
    """Something that it takes is missing; says what."""


def expect(reply: Reply, status: int, detail: str | None = None) -> None:
    """The reply has this status, and this text if one is given.

    Raises:
        Differs: it has not.
    """
    if reply.status != status:
        raise Differs(f"{reply.told} instead of {status}")
    if detail is not None and reply.detail != detail:
        raise Differs(f"{reply.told} instead of {detail!r}")


def expect_keys(value: object, first: Collection[str], *, exactly: bool = False) -> None:
    """The value is an object that begins with these fields; more may follow unless it is *exactly* these.

    Raises:
        Differs: it is not.
    """
    found = list(value) if isinstance(value, dict) else []
    if found[: len(first)] != list(first) or (exactly and len(found) > len(first)):
        raise Differs(f"has {', '.join(found) or 'no fields'} instead of {', '.join(first)}")


def expect_that(is_so: bool, otherwise: str) -> None:
    """It is so.

    Raises:
        Differs: it is not; *otherwise* says how it is.
    """
    if not is_so:
        raise Differs(otherwise)


def either(reply: Reply, *, before: int, now: int, why: str) -> None:
    """The reply is what the older API said, or what Taskriver says on purpose.

    Raises:
        OnPurpose: the second.
        Differs: neither.
    """
    if reply.status == now:
        raise OnPurpose(f"{now} instead of {before}: {why}")
    if reply.status != before:
        raise Differs(f"{reply.told} instead of {before}")
