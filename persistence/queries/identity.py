"""Queries for identities at providers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import FromClause, Integer, Select, String, Uuid, bindparam

from persistence.models import IdentityRow
from persistence.queries.joins import joined
from persistence.queries.query import Query

_IDENTITIES: Final[FromClause] = IdentityRow.__table__


@dataclass(frozen=True, slots=True)
class IdentitiesOfUser:
    """A user's identities, the oldest first. Parameters: `user_id`, `limit`."""

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        of_user = IdentityRow.user_id == bindparam("user_id", type_=Uuid())
        query = joined(_IDENTITIES, columns).where(of_user).order_by(IdentityRow.created_at, IdentityRow.id)
        return query.limit(bindparam("limit", type_=Integer()))


@dataclass(frozen=True, slots=True)
class IdentityById:
    """One identity. Parameter: `id`."""

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        return joined(_IDENTITIES, columns).where(IdentityRow.id == bindparam("id", type_=Uuid()))


@dataclass(frozen=True, slots=True)
class IdentityBySubject:
    """The identity of a subject of an issuer. Parameters: `issuer`, `subject`."""

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        return joined(_IDENTITIES, columns).where(
            IdentityRow.issuer == bindparam("issuer", type_=String()),
            IdentityRow.subject == bindparam("subject", type_=String()),
        )


def identities(user_id: UUID, *, at_most: int) -> Query:
    """A user's identities."""
    return Query(IdentitiesOfUser(), {"user_id": user_id, "limit": at_most})


def identity(identity_id: UUID) -> Query:
    """One identity, of any user."""
    return Query(IdentityById(), {"id": identity_id})


def identity_of_subject(issuer: str, subject: str) -> Query:
    """The identity of a subject."""
    return Query(IdentityBySubject(), {"issuer": issuer, "subject": subject})
