"""Times in files: ISO 8601 as in the API, and the formats that spreadsheets write."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from cli.errors import CommandError
from domain.errors import Invalid

_DOTTED: Final = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(.*)", re.DOTALL)
_SLASHED: Final = re.compile(r"\d{1,4}/\d{1,2}/\d{1,4}\b.*", re.DOTALL)
_SAMPLE: Final = datetime(1987, 11, 23, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DateReader:
    """Parses times. *formats* (of `strptime`) come before the built-in formats; *zone* is for times without an offset.

    The built-in formats are ISO 8601 (`2026-12-24T18:00:00Z`, `2026-12-24 18:00`, `2026-12-24`) and
    `24.12.2026 18:00`. A date without a time is 00:00.
    """

    formats: Sequence[str] = ()
    zone: tzinfo | None = None

    @classmethod
    def parse(cls, formats: Sequence[str], zone: str | None) -> "DateReader":
        """A reader from the command line's options.

        Raises:
            CommandError: a format lacks year, month or day, or there is no such time zone.
        """
        return cls(tuple(map(_checked, formats)), None if zone is None else _zone(zone))

    def read(self, text: str, *, field: str) -> datetime:
        """The time in *text*, with an offset from UTC.

        Raises:
            Invalid: it has none of the formats, or no offset and there is no `zone`. The message names the option.
        """
        found = self._by_format(text.strip()) or self._built_in(text.strip(), field)
        if found.utcoffset() is not None:
            return found
        if self.zone is None:
            raise Invalid(
                f"{field} has no offset from UTC: give its time zone, such as --timezone Europe/Berlin, or write "
                "2026-12-24T18:00:00+01:00.",
                path=(field,),
            )
        return found.replace(tzinfo=self.zone)

    def _by_format(self, text: str) -> datetime | None:
        for each in self.formats:
            try:
                return datetime.strptime(text, each)  # noqa: DTZ007 - the caller adds the zone
            except ValueError:
                continue
        return None

    def _built_in(self, text: str, field: str) -> datetime:
        dotted = _DOTTED.fullmatch(text)
        iso = "{2}-{1:0>2}-{0:0>2}{3}".format(*dotted.groups()) if dotted else text
        try:
            return datetime.fromisoformat(iso)
        except ValueError:
            raise Invalid(self._unreadable(text, field), path=(field,)) from None

    def _unreadable(self, text: str, field: str) -> str:
        if self.formats:
            return f"{field} has neither the format {' nor '.join(self.formats)} nor that of 2026-12-24T18:00:00Z."
        if _SLASHED.fullmatch(text):
            example = "--date-format %m/%d/%Y or --date-format %d/%m/%Y"
            return f"{field} is ambiguous, the month or the day may be first: use {example}."
        return f"{field} must be a time such as 2026-12-24T18:00:00Z; for other formats use --date-format."


def _checked(form: str) -> str:
    """The format, after a check that it has year, month and day: a date that is written with it can be read back."""
    try:
        is_date = datetime.strptime(_SAMPLE.strftime(form), form).date() == _SAMPLE.date()  # noqa: DTZ007
    except (ValueError, re.error):
        is_date = False
    if not is_date:
        raise CommandError(
            f"--date-format {form!a} must contain year, month and day, such as %d.%m.%Y or %m/%d/%Y %H:%M."
        )
    return form


def _zone(name: str) -> tzinfo:
    try:
        return UTC if name.upper() in ("UTC", "Z") else ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise CommandError(
            f"There is no time zone {name[:60]!a}: use a name such as UTC, Europe/Berlin or America/New_York."
        ) from None
