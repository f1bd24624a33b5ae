"""Keyset pagination: a page starts and ends at rows and not at offsets, so that no row is skipped or repeated."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, Generic, NamedTuple, Self, TypeVar
from uuid import UUID

import orjson

from domain import base64url
from domain.errors import BadRequest

MAX_FIRST = 100
DEFAULT_PAGE = 20
NOT_OURS: Final = "This cursor was not made by this API; omit `after` and `before` for the first page."

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PageCursor:
    """The position of a row in an order: the order's name, the row's value as text (None: no value), and its id."""

    order: str
    value: str | None
    id: UUID

    def encode(self) -> str:
        """URL-safe text without padding."""
        return page_cursor(self.order, self.value, self.id)

    @classmethod
    def decode(cls, text: str) -> Self:
        """The inverse of `encode`.

        Raises:
            BadRequest: the text was not made by `encode`.
        """
        try:
            if len(text) > 1_000:
                raise ValueError(text)
            plain = base64url.decode(text)
            order, value, identity = json.loads(plain)
            if not isinstance(order, str) or not isinstance(value, str | None):
                raise ValueError(plain)
            return cls(order, value, UUID(hex=identity))
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise BadRequest(NOT_OURS) from error

    def instant(self) -> datetime:
        """The row's value, if the order is by time.

        Raises:
            BadRequest: the value is not a time, so this API did not make the cursor.
        """
        try:
            instant = datetime.fromisoformat(self.value or "")
            if instant.utcoffset() is None:
                raise ValueError(instant)
            return instant.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise BadRequest(NOT_OURS) from error


def page_cursor(order: str, value: str | None, identity: UUID) -> str:
    """The text of a `PageCursor`, without creating the object: every row of a page has a cursor."""
    return base64url.encode(orjson.dumps([order, value, identity.hex]))


class Part(StrEnum):
    """The parts of a page; one statement reads all of them."""

    ROWS = "ROWS"
    EARLIER = "EARLIER"
    """Whether there are rows at or before `after`."""
    LATER = "LATER"
    """Whether there are rows at or after `before`."""
    TOTAL = "TOTAL"
    """The number of rows of the whole list."""
    HEAD = "HEAD"
    """The head of the event log."""


WHOLE_PAGE: Final = frozenset({Part.ROWS, Part.EARLIER, Part.LATER})
Facts = Mapping[str, Any]
"""The values that a statement reads beside the rows, by column name."""


class PageRequest(NamedTuple):
    """Up to `size` rows between two cursors: the first ones, or the last ones if `backward`."""

    size: int
    after: PageCursor | None = None
    before: PageCursor | None = None
    backward: bool = False
    parts: frozenset[Part] = WHOLE_PAGE

    @classmethod
    def of(
        cls,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        *,
        order: str,
        parts: frozenset[Part] = WHOLE_PAGE,
    ) -> Self:
        """The page request for a connection's arguments; by default the first 20 rows.

        Raises:
            BadRequest: `first` or `last` is not 1 to 100, both are given, or a cursor is malformed or belongs to
                another ordering.
        """
        if first is not None and last is not None:
            raise BadRequest("Give first or last, not both.")
        backward = last is not None
        size = last if last is not None else DEFAULT_PAGE if first is None else first
        if not 1 <= size <= MAX_FIRST:
            raise BadRequest(f"{'last' if backward else 'first'} must be 1 to {MAX_FIRST}, not {size}.")
        return cls(size, _cursor(after, order), _cursor(before, order), backward, parts)

    @property
    def limit(self) -> int:
        """The number of rows to read: one more than the page has, to find out whether the list continues."""
        return self.size + 1 if Part.ROWS in self.parts else 0

    @property
    def facts(self) -> tuple[str, ...]:
        """The columns to read beside the rows. Without a cursor there are no rows before or after the page."""
        parts = self.parts
        names: tuple[str, ...] = ("earlier",) if self.after is not None and Part.EARLIER in parts else ()
        if self.before is not None and Part.LATER in parts:
            names += ("later",)
        if Part.TOTAL in parts:
            names += ("total",)
        return (*names, "head_epoch", "head_position", "head_fingerprint") if Part.HEAD in parts else names

    def shown(self, found: Sequence[T]) -> Sequence[T]:
        """The rows of the page in the order of the list, from the rows that were read."""
        rows = found[: self.size]
        return rows[::-1] if self.backward else rows

    def ends(self, found: int, facts: Facts) -> tuple[bool, bool]:
        """Whether there are rows before and after the page; *found* is the number of rows that were read."""
        more = found > self.size
        earlier, later = facts.get("earlier", False), facts.get("later", False)
        return (more or earlier, later) if self.backward else (earlier, more or later)


def _cursor(text: str | None, order: str) -> PageCursor | None:
    if text is None:
        return None
    cursor = PageCursor.decode(text)
    if cursor.order != order:
        raise BadRequest("This cursor belongs to another ordering; omit `after` and `before` when `orderBy` changes.")
    return cursor


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """The rows in order, their cursors, and the facts that were read beside them."""

    rows: Sequence[T]
    cursors: Sequence[str]
    has_next: bool
    has_previous: bool
    facts: Facts

    def cursor_at(self, place: int) -> str | None:
        """The cursor of a row; None on an empty page."""
        return self.cursors[place] if self.cursors else None

    @classmethod
    def of(cls, request: PageRequest, found: Sequence[T], facts: Facts, cursor: Callable[[T], str]) -> Self:
        """The page for a request, from the rows that were read."""
        rows = request.shown(found)
        has_previous, has_next = request.ends(len(found), facts)
        return cls(rows, [cursor(row) for row in rows], has_next, has_previous, facts)
