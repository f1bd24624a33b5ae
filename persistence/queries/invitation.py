"""Queries for invitations."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, FromClause, Integer, Select, Uuid, bindparam, select

from domain.actor import Actor
from domain.policy import Action
from persistence.models import InvitationRow
from persistence.pagination import PageCursor, PageRequest, page_cursor
from persistence.queries.joins import References, joined, user_in
from persistence.queries.keyset import Bound, Keyset, Window, ordered
from persistence.queries.page_facts import ONE, Known, facts_of, is_any
from persistence.queries.parent import Parent, Reaches
from persistence.queries.project_visibility import belongs_to_visible_project
from persistence.queries.query import Paged, Query
from persistence.queries.task_visibility import values_of

INVITATION_ORDER: Final = "invitations.created"
REFERENCES_OF_INVITATION: Final[References] = {"inviter": user_in("inviter_id")}
_INVITATIONS: Final[FromClause] = InvitationRow.__table__
_KEYSET: Final = Keyset(_INVITATIONS.c.created_at, _INVITATIONS.c.id, DateTime(timezone=True), descending=True)
_PROJECT: Final = Parent(Action.MANAGE_INVITATIONS, belongs_to_visible_project)


@dataclass(frozen=True, slots=True)
class InvitationById:
    """One invitation. Parameter: `id`."""

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        query = joined(_INVITATIONS, columns, REFERENCES_OF_INVITATION)
        return query.where(_INVITATIONS.c.id == bindparam("id", type_=Uuid()))


@dataclass(frozen=True, slots=True)
class InvitationPage:
    """A page of the invitations that the actor may manage, the newest first.

    Parameters: `limit`, `actor_id`, the values of the cursors, and `project_id` if *of_project*. The rows start at the
    end from which the page is taken. After the requested columns each row has the facts, the time of the invitation,
    and its id. An empty page with facts is one row without an invitation.
    """

    reaches: Reaches
    of_project: bool
    window: Window
    facts: tuple[str, ...]

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        limit = bindparam("limit", type_=Integer())
        newest_first = not self.window.backward
        found = self._found(_INVITATIONS.c, _KEYSET.inside(self.window), descending=newest_first, limit=limit)
        page = found.subquery("page")
        facts = self._facts().subquery("facts") if self.facts else None
        query = joined(page, columns, REFERENCES_OF_INVITATION, facts=facts)
        query = query.add_columns(page.c.created_at.label("place"), page.c.id.label("place_id"))
        return query.order_by(*ordered(page.c.created_at, page.c.id, descending=newest_first))

    def _facts(self) -> Select[Any]:
        known: Known = {"earlier": self._is_any_earlier, "later": self._is_any_later}
        return facts_of(self.facts, known)

    def _is_any_earlier(self) -> ColumnElement[bool]:
        return is_any(self._found([_INVITATIONS.c.id], [_KEYSET.earlier(self.window)], descending=False, limit=ONE))

    def _is_any_later(self) -> ColumnElement[bool]:
        return is_any(self._found([_INVITATIONS.c.id], [_KEYSET.later(self.window)], descending=True, limit=ONE))

    def _found(
        self, columns: Iterable[Any], place: Sequence[ColumnElement[bool]], *, descending: bool, limit: Any
    ) -> Select[Any]:
        wanted = [belongs_to_visible_project(_INVITATIONS.c.project_id, self.reaches)]
        if self.of_project:
            wanted.append(_INVITATIONS.c.project_id == bindparam("project_id", type_=Uuid()))
        by = ordered(_INVITATIONS.c.created_at, _INVITATIONS.c.id, descending=descending)
        return select(*columns).where(*wanted, *place).order_by(*by).limit(limit)


def invitation(invitation_id: UUID) -> Query:
    """One invitation."""
    return Query(InvitationById(), {"id": invitation_id})


def invitation_page(actor: Actor, request: PageRequest, *, project_id: UUID | None = None) -> Paged:
    """A page of the invitations that the actor may manage, of a project or of all.

    Raises:
        BadRequest: a cursor was not made by this API.
    """
    values: dict[str, Any] = {"limit": request.limit, "project_id": project_id, **values_of(actor)}
    for name, cursor in (("after", request.after), ("before", request.before)):
        if cursor is not None:
            values |= {name: cursor.instant(), f"{name}_id": cursor.id}
    window = Window(_bound(request.after), _bound(request.before), request.backward)
    page = InvitationPage(_PROJECT.reaches(actor), project_id is not None, window, request.facts)
    return Paged(Query(page, values), request, _cursor)


def _bound(cursor: PageCursor | None) -> Bound:
    return Bound.OPEN if cursor is None else Bound.VALUE


def _cursor(created_at: datetime, invitation_id: UUID) -> str:
    return page_cursor(INVITATION_ORDER, created_at.isoformat(), invitation_id)
