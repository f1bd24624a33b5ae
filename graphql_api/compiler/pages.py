"""Pages of rows, as projections see them."""

from collections.abc import Sequence
from typing import Final

from persistence.pagination import Facts
from persistence.queries.query import Paged
from persistence.queries.reader import Row

_NO_FACTS: Final[Facts] = {}


class CompiledPage:
    """The rows of a page in the order of the list, and what was read beside them."""

    __slots__ = ("cursor", "facts", "has_next", "has_previous", "rows")

    def __init__(self, found: Sequence[Row], paged: Paged, facts: Facts) -> None:
        request = paged.request
        self.rows = request.shown(found)
        self.has_previous, self.has_next = request.ends(len(found), facts)
        self.cursor = paged.cursor
        self.facts = facts

    def cursor_at(self, place: int) -> str | None:
        """The cursor of a row; None on an empty page."""
        return self.cursor(self.rows[place][-2], self.rows[place][-1]) if self.rows else None


def page_of(found: Sequence[Row], paged: Paged, *, key: int) -> CompiledPage:
    """The page of rows that were read with its facts; a row without anything at *key* has the facts alone."""
    names = paged.request.facts
    if not names:
        return CompiledPage(found, paged, _NO_FACTS)
    facts = dict(zip(names, found[0][-2 - len(names) : -2], strict=True))
    return CompiledPage([] if found[0][key] is None else found, paged, facts)
