"""The `DateTime` scalar: an instant in the format of RFC 3339."""

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
    """Format an instant as RFC 3339 in UTC with `Z`; with six digits after the second, or none if all are zero."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def read_instant(value: object) -> datetime:
    """Parse RFC 3339 text. Digits after the sixth are cut off: the database stores microseconds.

    Raises:
        GraphQLError: the text is not in RFC 3339 format, or it has no offset.
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
    return _after_leap_second(instant) if is_leap else instant


def _after_leap_second(instant: datetime) -> datetime:
    """The second after a leap second. Python and PostgreSQL cannot represent the leap second itself.

    Raises:
        ValueError: there is no leap second at this time; one can occur only at the end of a month in UTC.
    """
    after = instant + timedelta(seconds=1)
    if (after.day, after.hour, after.minute) != (1, 0, 0):
        raise ValueError(instant)
    return after


DateTime = strawberry.scalar(
    name="DateTime",
    description="A date and time: RFC 3339 text with an offset from UTC. The server sends values in UTC with `Z` and "
    "six digits after the second, or none if all are zero; so compare the values as times, not as text. In values "
    "that you send, digits after the sixth are cut off.",
    specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
    serialize=write_instant,
    parse_value=read_instant,
)
