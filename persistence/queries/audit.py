"""Queries for the audit log."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, FromClause, Integer, Select, String, Uuid, bindparam, select

from domain.audit import AuditAction
from persistence.models import AuditRow
from persistence.pagination import PageCursor, PageRequest, page_cursor
from persistence.queries.joins import References, joined, user_in
from persistence.queries.keyset import Bound, Keyset, Window, ordered
from persistence.queries.page_facts import ONE, Known, facts_of, is_any
from persistence.queries.query import Paged, Query

AUDIT_ORDER: Final = "audit.at"
REFERENCES_OF_AUDIT: Final[References] = {"actor": user_in("actor_id")}
_ENTRIES: Final[FromClause] = AuditRow.__table__
_TIME: Final = DateTime(timezone=True)
_KEYSET: Final = Keyset(_ENTRIES.c.at, _ENTRIES.c.id, _TIME, descending=True)
_CONDITIONS: Final[dict[str, ColumnElement[bool]]] = {
    "actor_id": _ENTRIES.c.actor_id == bindparam("actor_id", type_=Uuid()),
    "action": _ENTRIES.c.action == bindparam("action", type_=String()),
    "since": _ENTRIES.c.at >= bindparam("since", type_=_TIME),
    "until": _ENTRIES.c.at < bindparam("until", type_=_TIME),
}
"""By the field of the filter; the parameter has the same name."""


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """The entries to return; None means all. *since* belongs to them, and *until* does not."""

    actor_id: UUID | None = None
    action: AuditAction | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def values(self) -> dict[str, Any]:
        """The values of the conditions, by field."""
        given = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in given.items() if value is not None}


ALL_ENTRIES: Final = AuditFilter()


@dataclass(frozen=True, slots=True)
class AuditPage:
    """A page of entries, the newest first. Parameters: `limit`, the values of the cursors and of the conditions.

    The rows start at the end from which the page is taken. After the requested columns each row has the facts, the time
    of the entry, and its id. An empty page with facts is one row without an entry.
    """

    conditions: tuple[str, ...]
    window: Window
    facts: tuple[str, ...]

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        limit = bindparam("limit", type_=Integer())
        newest_first = not self.window.backward
        found = self._found(_ENTRIES.c, _KEYSET.inside(self.window), descending=newest_first, limit=limit)
        page = found.subquery("page")
        facts = self._facts().subquery("facts") if self.facts else None
        query = joined(page, columns, REFERENCES_OF_AUDIT, facts=facts)
        query = query.add_columns(page.c.at.label("place"), page.c.id.label("place_id"))
        return query.order_by(*ordered(page.c.at, page.c.id, descending=newest_first))

    def _facts(self) -> Select[Any]:
        known: Known = {"earlier": self._is_any_earlier, "later": self._is_any_later}
        return facts_of(self.facts, known)

    def _is_any_earlier(self) -> ColumnElement[bool]:
        return is_any(self._found([_ENTRIES.c.id], [_KEYSET.earlier(self.window)], descending=False, limit=ONE))

    def _is_any_later(self) -> ColumnElement[bool]:
        return is_any(self._found([_ENTRIES.c.id], [_KEYSET.later(self.window)], descending=True, limit=ONE))

    def _found(
        self, columns: Iterable[Any], place: Sequence[ColumnElement[bool]], *, descending: bool, limit: Any
    ) -> Select[Any]:
        wanted = [_CONDITIONS[name] for name in self.conditions]
        by = ordered(_ENTRIES.c.at, _ENTRIES.c.id, descending=descending)
        return select(*columns).where(*wanted, *place).order_by(*by).limit(limit)


def audit_page(request: PageRequest, wanted: AuditFilter = ALL_ENTRIES) -> Paged:
    """A page of the entries of a filter, and one more, to find out whether there is a next page.

    Raises:
        BadRequest: a cursor was not made by this API.
    """
    conditions = wanted.values
    values: dict[str, Any] = {"limit": request.limit, **conditions}
    for name, cursor in (("after", request.after), ("before", request.before)):
        if cursor is not None:
            values |= {name: cursor.instant(), f"{name}_id": cursor.id}
    window = Window(_bound(request.after), _bound(request.before), request.backward)
    return Paged(Query(AuditPage(tuple(conditions), window, request.facts), values), request, _cursor)


def _bound(cursor: PageCursor | None) -> Bound:
    return Bound.OPEN if cursor is None else Bound.VALUE


def _cursor(at: datetime, entry_id: UUID) -> str:
    return page_cursor(AUDIT_ORDER, at.isoformat(), entry_id)
