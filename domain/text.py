"""The rules for stored texts."""

import unicodedata

from domain.errors import Invalid


def check_text(value: str, *, field: str, at_most: int, at_least: int = 0) -> str:
    """The value, stripped of surrounding white space, if it is within its limits.

    Lengths are in Unicode code points, after stripping.

    Raises:
        Invalid: too short, too long, or not storable (NUL, a lone surrogate).
    """
    check_storable(value, field=field)
    text = value.strip()
    if len(text) < at_least:
        raise Invalid(_too_short(field, at_least), path=(field,))
    if len(text) > at_most:
        raise Invalid(f"{field} is {len(text):,} characters long; the maximum is {at_most:,}.", path=(field,))
    return text


def check_storable(value: str, *, field: str) -> None:
    """Refuse characters that PostgreSQL cannot store: NUL, and lone surrogates.

    Raises:
        Invalid: the value contains one of them.
    """
    if not is_storable(value):
        raise Invalid(f"{field} contains a character that is not text (NUL or a lone surrogate).", path=(field,))


def is_storable(value: str) -> bool:
    """Whether the value can be stored as UTF-8 text."""
    if "\x00" in value:
        return False
    if value.isascii():
        return True
    try:
        value.encode()  # finds lone surrogates faster than a loop over the characters
    except UnicodeEncodeError:
        return False
    return True


def without_control_characters(value: str) -> str:
    """The value without control characters and lone surrogates, for one line of a log or a list."""
    return "".join(character for character in value if unicodedata.category(character)[0] != "C")


def _too_short(field: str, at_least: int) -> str:
    if at_least == 1:
        return f"{field} must not be empty."
    return f"{field} must have at least {at_least} characters."
