"""Keyset pages: a page begins behind a row, never at an offset, so that it neither skips nor repeats rows."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Generic, Self, TypeVar
from uuid import UUID

import orjson

from domain import base64url
from domain.errors import BadRequest

MAX_FIRST = 100
NOT_OURS: Final = "This cursor was not made by this API; leave `after` out for the first page."

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PageCursor:
    """A row's place in an ordering: the ordering's name, the row's value as text (None = has none), and its id."""

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
        """The row's value, where the ordering is one by time.

        Raises:
            BadRequest: it is no instant, so this is not a cursor that was made here.
        """
        try:
            instant = datetime.fromisoformat(self.value or "")
            if instant.utcoffset() is None:
                raise ValueError(instant)
            return instant.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise BadRequest(NOT_OURS) from error


def page_cursor(order: str, value: str | None, identity: UUID) -> str:
    """The text of a `PageCursor`, written without making one: every row of a page has its own."""
    return base64url.encode(orjson.dumps([order, value, identity.hex]))


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The `first` rows behind `after`."""

    first: int
    after: PageCursor | None = None

    @classmethod
    def of(cls, first: int, after: str | None, *, order: str) -> Self:
        """A page of a connection as a client asks for it.

        Raises:
            BadRequest: `first` is not 1 to 100, or the cursor is malformed or belongs to another ordering.
        """
        if not 1 <= first <= MAX_FIRST:
            raise BadRequest(f"first must be 1 to {MAX_FIRST}, not {first}.")
        cursor = PageCursor.decode(after) if after is not None else None
        if cursor is not None and cursor.order != order:
            raise BadRequest("This cursor belongs to another ordering; leave `after` out when `orderBy` changes.")
        return cls(first, cursor)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows in order, each with its cursor."""

    rows: Sequence[T]
    cursors: Sequence[str]
    has_next: bool
    has_previous: bool
