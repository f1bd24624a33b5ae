"""The repository of trusted documents."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from domain.trusted_document import TrustedDocument
from persistence.models import TrustedDocumentRow
from persistence.models.rows import row_factory
from persistence.repositories.rows import Work

_LOCK: Final = "LOCK TABLE trusted_documents IN SHARE ROW EXCLUSIVE MODE"
_ALL: Final = "SELECT id, client, name, text, serial, added_at FROM trusted_documents ORDER BY client, name, id"
_WITH_IDS: Final = "SELECT id, client, name, text, serial, added_at FROM trusted_documents WHERE id = ANY($1::text[])"
_COUNT: Final = "SELECT count(*) FROM trusted_documents"
_REVISION: Final = "SELECT count(*), coalesce(max(serial), 0) FROM trusted_documents"
_ADD: Final = (
    "INSERT INTO trusted_documents (id, client, name, text, added_at)"
    " SELECT added.id, $2, added.name, added.text, coalesce($5, clock_timestamp())"
    " FROM unnest($1::text[], $3::text[], $4::text[]) AS added (id, name, text)"
)
_REMOVE: Final = "DELETE FROM trusted_documents WHERE client = $1 AND id = ANY($2::text[])"


class Revision(NamedTuple):
    """The state of the table: it differs after each transaction that added or removed rows."""

    rows: int
    last: int


class TrustedDocumentRepository:
    """The trusted documents of all clients."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def lock(self) -> None:
        """Let no other transaction add or remove documents until this one ends.

        So serial numbers become visible in their order, and `revision` differs after each change.
        """
        await self._work.transaction.begin()
        await self._work.transaction.fetch(_LOCK)

    async def all(self) -> list[TrustedDocumentRow]:
        """All documents, by client, name and id."""
        return [row_factory(TrustedDocumentRow)(values) for values in await self._work.transaction.fetch(_ALL)]

    async def with_ids(self, ids: Sequence[str]) -> list[TrustedDocumentRow]:
        """The documents with these ids, of all clients."""
        found = await self._work.transaction.fetch(_WITH_IDS, list(ids))
        return [row_factory(TrustedDocumentRow)(values) for values in found]

    async def count(self) -> int:
        """The number of documents of all clients."""
        return int(await self._work.transaction.value(_COUNT))

    async def revision(self) -> Revision:
        """The state of the table."""
        [(rows, last)] = await self._work.transaction.fetch(_REVISION)
        return Revision(rows, last)

    async def add(self, client: str, documents: Sequence[TrustedDocument], *, now: datetime | None) -> None:
        """Add documents of a client; *now* is None for the time of the database's clock."""
        ids, names, texts = ([getattr(each, field) for each in documents] for field in ("id", "name", "text"))
        await self._work.transaction.write(_ADD, ids, client, names, texts, now)

    async def remove(self, client: str, ids: Sequence[str]) -> None:
        """Remove documents of a client."""
        await self._work.transaction.write(_REMOVE, client, list(ids))
