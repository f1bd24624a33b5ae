"""Which users are read."""

from collections.abc import Collection, Sequence
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
    select,
    tuple_,
)

from domain.text import is_storable
from persistence.models import UserRow
from persistence.models.user import folded_username
from persistence.pages import PageRequest, page_cursor
from persistence.reads.read import Asked
from persistence.reads.references import joined

USER_ORDER: Final = "users.created"
_ESCAPES: Final = str.maketrans({"%": r"\%", "_": r"\_", "\\": r"\\"})
_USERS: Final[FromClause] = UserRow.__table__


@dataclass(frozen=True, slots=True)
class UserById:
    """One user: `id`."""

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """It, or nothing."""
        return joined(_USERS, columns).where(UserRow.id == bindparam("id", type_=Uuid()))


@dataclass(frozen=True, slots=True)
class UsersById:
    """Those of several users that exist, in no order: `ids`."""

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """Any number of them."""
        return joined(_USERS, columns).where(UserRow.id == any_(bindparam("ids", type_=ARRAY(Uuid()))))


@dataclass(frozen=True, slots=True)
class UserPage:
    """Users, the newest first, behind a place: `limit`, `place`, `place_id`.

    Behind the columns that are asked for each row has two more: when it was created, and its id.
    """

    behind: bool

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """As many as the limit says."""
        query = joined(_USERS, columns).add_columns(UserRow.created_at.label("place"), UserRow.id.label("place_id"))
        if self.behind:
            place = (bindparam("place", type_=DateTime(timezone=True)), bindparam("place_id", type_=Uuid()))
            query = query.where(tuple_(UserRow.created_at, UserRow.id) < tuple_(*place))
        newest_first = query.order_by(UserRow.created_at.desc(), UserRow.id.desc())
        return newest_first.limit(bindparam("limit", type_=Integer()))


@dataclass(frozen=True, slots=True)
class UserCount:
    """How many users there are."""

    def select(self, columns: Sequence[str] = ()) -> Select[Any]:
        """One row of one number."""
        return select(func.count()).select_from(UserRow)


@dataclass(frozen=True, slots=True)
class AssignableUsers:
    """Active users by name: `pattern`, `limit`."""

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """As many as the limit says."""
        alike = folded_username.like(lowered(bindparam("pattern", type_=String())), escape="\\")
        query = joined(_USERS, columns).where(UserRow.is_active, alike)
        return query.order_by(folded_username).limit(bindparam("limit", type_=Integer()))


def user(user_id: UUID) -> Asked:
    """One user."""
    return Asked(UserById(), {"id": user_id})


def users(ids: Collection[UUID]) -> Asked:
    """Several users."""
    return Asked(UsersById(), {"ids": list(ids)})


def user_page(request: PageRequest) -> Asked:
    """A page, and one user more, which says whether there is another page.

    Raises:
        BadRequest: the cursor was not made here.
    """
    values: dict[str, Any] = {"limit": request.first + 1}
    if request.after is not None:
        values |= {"place": request.after.instant(), "place_id": request.after.id}
    return Asked(UserPage(request.after is not None), values)


def user_cursor(created_at: datetime, user_id: UUID) -> str:
    """The cursor behind a user."""
    return page_cursor(USER_ORDER, created_at.isoformat(), user_id)


def user_count() -> Asked:
    """How many there are."""
    return Asked(UserCount(), {})


def assignable_users(prefix: str, *, at_most: int) -> Asked:
    """Active users whose name begins so, ignoring case, by name."""
    # Text that cannot be stored begins no name, and neither does an empty one under a limit of none.
    storable = is_storable(prefix)
    pattern = prefix.translate(_ESCAPES) + "%" if storable else ""
    return Asked(AssignableUsers(), {"pattern": pattern, "limit": at_most if storable else 0})


def lowered(text: ColumnElement[str]) -> ColumnElement[str]:
    """In lower case as the index has it: PostgreSQL folds both sides, each in the "C" collation."""
    return func.lower(collate(text, "C"))
