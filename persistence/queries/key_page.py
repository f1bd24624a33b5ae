"""Pages of rows in the order of a key that is unique and never null."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Integer, Select, bindparam, func, select

from persistence.pagination import PageRequest
from persistence.queries.joins import References, joined
from persistence.queries.page_facts import ONE, Known, facts_of, is_any


@dataclass(frozen=True)
class KeyPage:
    """A page of the rows of *source*, by *key*. Parameters: `limit`, the keys `after` and `before`, those of *source*.

    The rows start at the end from which the page is taken. After the requested columns each row has the facts, the key,
    and the id. An empty page with facts is one row without an id. *references* is a function, so that equal pages have
    the same hash; *stored* returns the names by which columns are read.
    """

    source: Callable[[], FromClause]
    key: str
    after: bool
    before: bool
    backward: bool
    facts: tuple[str, ...]
    descending: bool = False
    references: Callable[[], References] = dict
    stored: Callable[[Sequence[str]], Sequence[str]] = list

    @classmethod
    def of(cls, request: PageRequest, source: Callable[[], FromClause], key: str, **options: Any) -> "KeyPage":
        """The page of a request."""
        after, before = request.after is not None, request.before is not None
        return cls(source, key, after, before, request.backward, request.facts, **options)

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        inside = []
        if self.after:
            inside.append(self._is_behind("after"))
        if self.before:
            inside.append(self._is_ahead("before"))
        limit = bindparam("limit", type_=Integer())
        page = self._found(self._rows.c, inside, backward=self.backward, limit=limit).subquery("page")
        facts = self._facts().subquery("facts") if self.facts else None
        query = joined(page, self.stored(columns), self.references(), facts=facts)
        place = page.c[self.key]
        query = query.add_columns(place.label("place"), page.c.id.label("place_id"))
        return query.order_by(place.desc() if self._is_descending(self.backward) else place.asc())

    @cached_property
    def _rows(self) -> FromClause:
        return self.source()

    @property
    def _key(self) -> ColumnElement[Any]:
        return self._rows.c[self.key]

    def _is_descending(self, backward: bool) -> bool:
        return self.descending is not backward

    def _is_behind(self, cursor: str) -> ColumnElement[bool]:
        place = bindparam(cursor, type_=self._key.type)
        return self._key < place if self.descending else self._key > place

    def _is_ahead(self, cursor: str) -> ColumnElement[bool]:
        place = bindparam(cursor, type_=self._key.type)
        return self._key > place if self.descending else self._key < place

    def _facts(self) -> Select[Any]:
        known: Known = {"total": self._total, "earlier": self._is_any_earlier, "later": self._is_any_later}
        return facts_of(self.facts, known)

    def _total(self) -> ColumnElement[int]:
        return select(func.count()).select_from(self._rows).scalar_subquery()

    def _is_any_earlier(self) -> ColumnElement[bool]:
        return is_any(self._found([self._rows.c.id], [~self._is_behind("after")], backward=True, limit=ONE))

    def _is_any_later(self) -> ColumnElement[bool]:
        return is_any(self._found([self._rows.c.id], [~self._is_ahead("before")], backward=False, limit=ONE))

    def _found(self, columns: Any, place: Sequence[ColumnElement[bool]], *, backward: bool, limit: Any) -> Select[Any]:
        by = self._key.desc() if self._is_descending(backward) else self._key.asc()
        return select(*columns).where(*place).order_by(by).limit(limit)
