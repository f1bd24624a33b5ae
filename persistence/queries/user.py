"""Queries for users."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    FromClause,
    Integer,
    Select,
    String,
    Uuid,
    any_,
    bindparam,
    collate,
    func,
    literal_column,
    select,
)

from domain.actor import Actor
from domain.policy import Action, reach_of
from domain.service_account import MAX_LISTED
from domain.text import is_storable
from persistence.models import UserRow
from persistence.models.user import folded_email, folded_username
from persistence.pagination import PageCursor, PageRequest, page_cursor
from persistence.queries.joins import joined
from persistence.queries.keyset import Bound, Keyset, Window, ordered
from persistence.queries.page_facts import ONE, Known, facts_of, is_any
from persistence.queries.parent import Reaches
from persistence.queries.project_visibility import (
    PROJECT,
    belongs_to_visible_project,
    members_of_visible_project,
    shares_project,
)
from persistence.queries.query import Paged, Query
from persistence.queries.task_visibility import values_of

USER_ORDER: Final = "users.created"
_ESCAPES: Final = str.maketrans({"%": r"\%", "_": r"\_", "\\": r"\\"})
_USERS: Final[FromClause] = UserRow.__table__
_KEYSET: Final = Keyset(UserRow.created_at, UserRow.id, DateTime(timezone=True), descending=True)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class UserById:
    """One user. Parameter: `id`."""

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        return joined(_USERS, columns).where(UserRow.id == bindparam("id", type_=Uuid()))


@dataclass(frozen=True, slots=True)
class UserByName:
    """The user with a name, ignoring case. Parameter: `username`."""

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        return joined(_USERS, columns).where(folded_username == lowered(bindparam("username", type_=String())))


@dataclass(frozen=True, slots=True)
class UserByEmail:
    """The user with an e-mail address, ignoring case. Parameter: `email`."""

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        return joined(_USERS, columns).where(folded_email == lowered(bindparam("email", type_=String())))


@dataclass(frozen=True, slots=True)
class UsersById:
    """Several users, in no order. Parameter: `ids`."""

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        return joined(_USERS, columns).where(UserRow.id == any_(bindparam("ids", type_=ARRAY(Uuid()))))


@dataclass(frozen=True, slots=True)
class UserPage:
    """A page of users, the newest first. Parameters: `limit`, and the values of the cursors.

    With *by_name* only users whose name matches the further parameter `pattern`.

    The rows start at the end from which the page is taken. After the requested columns each row has the facts, the time
    when the user was created, and the user's id. An empty page with facts is one row without a user.
    """

    window: Window
    facts: tuple[str, ...]
    by_name: bool = False

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        limit = bindparam("limit", type_=Integer())
        newest_first = not self.window.backward
        page = self._found(_USERS.c, _KEYSET.inside(self.window), descending=newest_first, limit=limit).subquery("page")
        facts = self._facts().subquery("facts") if self.facts else None
        query = joined(page, columns, facts=facts)
        query = query.add_columns(page.c.created_at.label("place"), page.c.id.label("place_id"))
        return query.order_by(*ordered(page.c.created_at, page.c.id, descending=newest_first))

    def _facts(self) -> Select[Any]:
        known: Known = {"total": self._total, "earlier": self._is_any_earlier, "later": self._is_any_later}
        return facts_of(self.facts, known)

    def _total(self) -> ColumnElement[int]:
        return UserCount(self.by_name).select().scalar_subquery()

    def _is_any_earlier(self) -> ColumnElement[bool]:
        return is_any(self._found([UserRow.id], [_KEYSET.earlier(self.window)], descending=False, limit=ONE))

    def _is_any_later(self) -> ColumnElement[bool]:
        return is_any(self._found([UserRow.id], [_KEYSET.later(self.window)], descending=True, limit=ONE))

    def _found(
        self, columns: Iterable[Any], place: Sequence[ColumnElement[bool]], *, descending: bool, limit: Any
    ) -> Select[Any]:
        by = ordered(UserRow.created_at, UserRow.id, descending=descending)
        return select(*columns).where(*_alike(self.by_name), *place).order_by(*by).limit(limit)


@dataclass(frozen=True, slots=True)
class UserCount:
    """The number of users. With *by_name* only those whose name matches the parameter `pattern`."""

    by_name: bool = False

    def select(self, columns: Sequence[str] = ()) -> Select[Any]:
        """The statement; its result is one row with one number."""
        return select(func.count()).select_from(UserRow).where(*_alike(self.by_name))


@dataclass(frozen=True, slots=True)
class AssignableUsers:
    """Active users by name. Parameters: `pattern`, `limit`.

    With *in_project* they are members of a project that the actor may read; further parameters: `project_id`,
    `actor_id`. With *known_only* they are the actor, or share a project with the actor; the further parameter is
    `actor_id`.
    """

    reaches: Reaches
    in_project: bool
    known_only: bool

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        query = joined(_USERS, columns).where(UserRow.is_active, *_alike(True))
        if self.in_project:
            query = query.where(UserRow.id.in_(members_of_visible_project(self.reaches)))
        elif self.known_only:
            query = query.where(shares_project(UserRow.id, self.reaches))
        return query.order_by(folded_username).limit(bindparam("limit", type_=Integer()))


@dataclass(frozen=True, slots=True)
class ServiceAccounts:
    """Service accounts that the actor manages, the newest first. Parameters: `limit`, `actor_id`.

    With *in_project* only those of a project; the further parameter is `project_id`.
    """

    reaches: Reaches
    in_project: bool

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        query = joined(_USERS, columns).where(is_service_account(UserRow.project_id, self.reaches))
        if self.in_project:
            query = query.where(UserRow.project_id == bindparam("project_id", type_=Uuid()))
        newest_first = (UserRow.created_at.desc(), UserRow.id.desc())
        return query.order_by(*newest_first).limit(bindparam("limit", type_=Integer()))


def is_service_account(project_id: Any, reaches: Reaches) -> ColumnElement[bool]:
    """The condition for users that are service accounts and that the actor manages. The parameter is `actor_id`."""
    return (UserRow.kind == literal_column("'SERVICE'")) & belongs_to_visible_project(project_id, reaches)


def service_accounts(actor: Actor | None, project_id: UUID | None = None) -> Query:
    """The service accounts that the actor manages; those of a project, if it is given."""
    reaches = reach_of(actor, Action.MANAGE_SERVICE_ACCOUNTS) if actor is not None else frozenset()
    rows = ServiceAccounts(reaches, project_id is not None)
    return Query(rows, {"limit": MAX_LISTED, "project_id": project_id, **values_of(actor)})


def user(user_id: UUID) -> Query:
    """One user."""
    return Query(UserById(), {"id": user_id})


def user_by_name(username: str) -> Query:
    """The user with this name."""
    return Query(UserByName(), {"username": username})


def user_by_email(email: str) -> Query:
    """The user with this e-mail address."""
    return Query(UserByEmail(), {"email": email})


def users(ids: Collection[UUID]) -> Query:
    """Several users."""
    return Query(UsersById(), {"ids": list(ids)})


def user_page(request: PageRequest, prefix: str = "") -> Paged:
    """A page of the users whose name begins with *prefix*, ignoring case; of all users without it.

    It has one more user, to find out whether there is a next page.

    Raises:
        BadRequest: a cursor was not made by this API.
    """
    storable = is_storable(prefix)
    values: dict[str, Any] = {"limit": request.limit if storable else 0}
    if prefix:
        values["pattern"] = _pattern(prefix) if storable else ""
    for name, cursor in (("after", request.after), ("before", request.before)):
        if cursor is not None:
            values |= {name: cursor.instant(), f"{name}_id": cursor.id}
    window = Window(_bound(request.after), _bound(request.before), request.backward)
    return Paged(Query(UserPage(window, request.facts, by_name=bool(prefix)), values), request, user_cursor)


def _bound(cursor: PageCursor | None) -> Bound:
    return Bound.OPEN if cursor is None else Bound.VALUE


def user_cursor(created_at: datetime, user_id: UUID) -> str:
    """The cursor of a user."""
    return page_cursor(USER_ORDER, created_at.isoformat(), user_id)


def assignable_users(actor: Actor | None, prefix: str, *, project_id: UUID | None = None, at_most: int) -> Query:
    """Active users whose name begins with *prefix*, ignoring case, by name; of a project, its members only.

    Without a project, an actor who does not find everyone finds those with whom they share a project.
    """
    # No name begins with text that cannot be stored: the limit 0 makes the result empty.
    storable = is_storable(prefix)
    pattern = _pattern(prefix) if storable else ""
    known_only = actor is not None and not actor.finds_everyone
    rows = AssignableUsers(PROJECT.reaches(actor), project_id is not None, known_only)
    values = {"pattern": pattern, "limit": at_most if storable else 0}
    return Query(rows, {**values, "project_id": project_id, **values_of(actor)})


def _pattern(prefix: str) -> str:
    return prefix.translate(_ESCAPES) + "%"


def _alike(by_name: bool) -> list[ColumnElement[bool]]:
    if not by_name:
        return []
    return [folded_username.like(lowered(bindparam("pattern", type_=String())), escape="\\")]


def lowered(text: ColumnElement[str]) -> ColumnElement[str]:
    """The text in lower case, with the "C" collation of the index."""
    return func.lower(collate(text, "C"))
