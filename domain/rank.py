"""Ranks: the places of a project's tasks in the order that its members choose.

A rank is a text that sorts by its bytes. Its first eight characters are a whole number in base 62, and the others are a
fraction that does not end with a zero. So there is a rank between any two (Greenspan, "Implementing Fractional
Indexing", 2020). New tasks, and tasks that are placed at either end, get whole numbers; only a task that is placed
between two others may need a fraction.
"""

from typing import Final

DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""The digits, in the order of their bytes."""
WHOLE: Final = 8
"""The characters of the whole number."""
LONG: Final = 32
"""A rank of this length is not stored: before, the fractions beside it are replaced by short ones."""

_BASE: Final = len(DIGITS)
_MIDDLE: Final = _BASE**WHOLE // 2
_ZERO: Final = DIGITS[0]
MOST: Final = _MIDDLE - 10**9
"""The greatest whole number of a rank that is imported. A billion tasks can still be placed at either end."""
_HALF: Final = DIGITS[_BASE // 2]
_VALUES: Final = {digit: value for value, digit in enumerate(DIGITS)}


def whole(number: int) -> str:
    """The rank of a whole number, which may be negative: ranks sort as their numbers do."""
    return _digits(number + _MIDDLE, WHOLE)


def number_of(rank: str) -> int:
    """The whole number of a rank, without its fraction."""
    value = 0
    for digit in rank[:WHOLE]:
        value = value * _BASE + _VALUES[digit]
    return value - _MIDDLE


def check_rank(text: str) -> str:
    """Check the form of a rank.

    Raises:
        ValueError: it is none.
    """
    if not WHOLE <= len(text) < LONG or any(digit not in _VALUES for digit in text):
        raise ValueError(text)
    return text


def check_place(text: str) -> str:
    """Check a rank that another database made: its form, and that there is room for other ranks around it.

    Raises:
        ValueError: it has another form, a fraction that ends with a zero, or a whole number that is too large.
    """
    check_rank(text)
    if text[WHOLE:].endswith(_ZERO) or abs(number_of(text)) > MOST:
        raise ValueError(text)
    return text


def rank_before(first: str) -> str:
    """A rank before the first one."""
    return whole(number_of(first) - 1)


def rank_between(lower: str, upper: str) -> str:
    """A short rank between two.

    Raises:
        ValueError: *lower* is not less than *upper*.
    """
    if lower >= upper:
        raise ValueError(f"{lower} is not less than {upper}")
    low, high = number_of(lower), number_of(upper)
    if high - low > 1:
        return whole((low + high) // 2)
    if high > low:
        return lower[:WHOLE] + _above(lower[WHOLE:])
    return lower[:WHOLE] + _between(lower[WHOLE:], upper[WHOLE:])


def spread(number: int, tasks: int) -> list[str]:
    """Short ranks for this many tasks between a whole number and the next one, in order."""
    length = 1
    while _BASE**length <= tasks:
        length += 1
    step = _BASE**length // (tasks + 1)
    return [whole(number) + _digits(step * place, length).rstrip(_ZERO) for place in range(1, tasks + 1)]


def _between(lower: str, upper: str) -> str:
    """A short fraction between two; an empty one is zero."""
    same = 0
    while (lower[same] if same < len(lower) else _ZERO) == upper[same]:
        same += 1
    low, high = _VALUES[lower[same]] if same < len(lower) else 0, _VALUES[upper[same]]
    if high - low > 1:
        return upper[:same] + DIGITS[(low + high) // 2]
    if len(upper) > same + 1:
        return upper[: same + 1]
    return upper[:same] + DIGITS[low] + _above(lower[same + 1 :])


def _above(fraction: str) -> str:
    """A short fraction between one and the next whole number."""
    for place, digit in enumerate(fraction):
        if (value := _VALUES[digit]) < _BASE - 1:
            return fraction[:place] + DIGITS[(value + _BASE) // 2]
    return fraction + _HALF


def _digits(value: int, length: int) -> str:
    """The digits of a number, of which there are at most *length*."""
    found = ""
    for _ in range(length):
        value, digit = divmod(value, _BASE)
        found = DIGITS[digit] + found
    return found
