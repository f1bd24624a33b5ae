"""The scalar for instants, as RFC 3339 writes them."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

import strawberry
from graphql import GraphQLError

_RFC_3339: Final = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[Tt ](?P<minute>\d\d:\d\d):(?P<second>\d\d)(?P<fraction>\.\d+)?"
    r"(?P<offset>[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
_MICROSECONDS: Final = len(".123456")
_LEAP_SECOND: Final = "60"


def write_instant(value: datetime) -> str:
    """RFC 3339 in UTC with `Z`, and six digits of a second, or none if they were all zero."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def read_instant(value: object) -> datetime:
    """An instant from RFC 3339 text; digits behind the sixth are cut off, as nothing is stored more exactly.

    Raises:
        GraphQLError: the text is none.
    """
    found = _RFC_3339.fullmatch(value) if isinstance(value, str) else None
    try:
        if found is not None:
            return _instant(found)
    except (ValueError, OverflowError):
        pass
    raise GraphQLError("A DateTime looks like 2026-12-24T18:00:00Z: RFC 3339, with an offset from UTC.")


def _instant(found: re.Match[str]) -> datetime:
    is_leap = found["second"] == _LEAP_SECOND
    second, fraction = "59" if is_leap else found["second"], (found["fraction"] or "")[:_MICROSECONDS]
    text = f"{found['date']}T{found['minute']}:{second}{fraction}{found['offset'].upper()}"
    instant = datetime.fromisoformat(text).astimezone(UTC)
    return _behind_leap_second(instant) if is_leap else instant


def _behind_leap_second(instant: datetime) -> datetime:
    """The second behind a leap second, which Python and PostgreSQL cannot hold; they end months of UTC.

    Raises:
        ValueError: there can be no leap second.
    """
    behind = instant + timedelta(seconds=1)
    if (behind.day, behind.hour, behind.minute) != (1, 0, 0):
        raise ValueError(instant)
    return behind


DateTime = strawberry.scalar(
    name="DateTime",
    description="An instant: RFC 3339 text with an offset from UTC. What comes from here is in UTC, with `Z`, and has "
    "six digits of a second, or none if they are zero: compare instants, not texts. Digits behind the sixth are cut "
    "off.",
    specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
    serialize=write_instant,
    parse_value=read_instant,
)
