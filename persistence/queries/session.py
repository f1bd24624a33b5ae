"""Queries for sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import DateTime, FromClause, Integer, Select, Uuid, bindparam

from persistence.models import SessionRow
from persistence.queries.joins import joined, user_in
from persistence.queries.membership import roles_of_user
from persistence.queries.query import Query

_SESSIONS: Final[FromClause] = SessionRow.__table__


@dataclass(frozen=True, slots=True)
class SessionsOfUser:
    """A user's active sessions, the newest first. Parameters: `user_id`, `now`, `limit`."""

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        of_user = SessionRow.user_id == bindparam("user_id", type_=Uuid())
        living = SessionRow.expires_at > bindparam("now", type_=DateTime(timezone=True))
        newest_first = (SessionRow.created_at.desc(), SessionRow.id.desc())
        query = joined(_SESSIONS, columns).where(of_user, living).order_by(*newest_first)
        return query.limit(bindparam("limit", type_=Integer()))


@dataclass(frozen=True, slots=True)
class SessionById:
    """One session, ended or not, and its `user`. Parameter: `id`."""

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        query = joined(_SESSIONS, columns, {"user": user_in("user_id")})
        return query.where(SessionRow.id == bindparam("id", type_=Uuid()))


@dataclass(frozen=True, slots=True)
class SessionWithRoles:
    """One session, its `user`, and as the last column the user's roles in projects, see `roles_of_user`.

    Parameter: `id`.
    """

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        return SessionById().select(columns).add_columns(roles_of_user(SessionRow))


def session_with_roles(session_id: UUID) -> Query:
    """A session, its user, and the user's roles in projects."""
    return Query(SessionWithRoles(), {"id": session_id})


def session(session_id: UUID) -> Query:
    """A session and its user."""
    return Query(SessionById(), {"id": session_id})


def sessions(user_id: UUID, *, now: datetime, at_most: int) -> Query:
    """A user's active sessions."""
    return Query(SessionsOfUser(), {"user_id": user_id, "now": now, "limit": at_most})
