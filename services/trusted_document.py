"""Trusted documents: what an operator adds and removes, and what processes read."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from domain.audit import AuditAction, AuditEntry
from domain.errors import AlreadyExists, NotFound
from domain.trusted_document import TrustedDocument, check_client, check_count, check_id
from persistence.models import TrustedDocumentRow
from persistence.repositories.trusted_document import Revision
from persistence.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Added:
    """The number of documents that were added, and of those that were there already."""

    added: int
    known: int


async def add_trusted_documents(uow: UnitOfWork, *, client: str, documents: Sequence[TrustedDocument]) -> Added:
    """Add documents of a client: all, or none. The texts must be valid documents of the schema.

    Raises:
        Invalid: a name or an id breaks a rule, or there are too many documents.
        AlreadyExists: an id is the id of another text. It has one text, whichever client sends it.
    """
    check_client(client)
    for each in documents:
        check_id(each.id, each.text)
    async with uow:
        await uow.trusted_documents.lock()
        stored = await uow.trusted_documents.with_ids([each.id for each in documents])
        texts = {row.id: row for row in stored}
        for each in documents:
            _check_same_text(each, texts.get(each.id))
        known = {row.id for row in stored if row.client == client}
        new = [each for each in documents if each.id not in known]
        check_count(await uow.trusted_documents.count() + len(new))
        await uow.trusted_documents.add(client, new, now=uow.stamp)
        if new:
            uow.audit(_entry(AuditAction.DOCUMENTS_ADDED, client, [each.id for each in new]))
        await uow.commit()
    return Added(len(new), len(known))


def _check_same_text(document: TrustedDocument, row: TrustedDocumentRow | None) -> None:
    if row is not None and row.text != document.text:
        raise AlreadyExists(
            f"The id {document.id} ({document.name}) has another text, for the client {row.client}. An id keeps its "
            "text: use ids that are hashes of the texts, or remove the old document first."
        )


async def remove_trusted_documents(uow: UnitOfWork, *, client: str, ids: Collection[str]) -> int:
    """Remove documents of a client, all or none; returns how many.

    Raises:
        NotFound: the client has no document with one of the ids.
    """
    async with uow:
        await uow.trusted_documents.lock()
        known = {row.id for row in await uow.trusted_documents.with_ids(list(ids)) if row.client == client}
        for each in ids:
            if each not in known:
                raise NotFound(f"The client {client} has no trusted document with the id {each}.")
        await uow.trusted_documents.remove(client, sorted(known))
        uow.audit(_entry(AuditAction.DOCUMENTS_REMOVED, client, sorted(known)))
        await uow.commit()
    return len(known)


async def list_trusted_documents(uow: UnitOfWork, *, client: str | None = None) -> list[TrustedDocumentRow]:
    """The documents of a client, or of all clients, by client, name and id."""
    async with uow:
        return [row for row in await uow.trusted_documents.all() if client is None or row.client == client]


async def trusted_documents_revision(uow: UnitOfWork) -> Revision:
    """The state of the table: it differs after each change."""
    async with uow:
        return await uow.trusted_documents.revision()


def _entry(action: AuditAction, client: str, ids: Sequence[str]) -> AuditEntry:
    return AuditEntry(action, details={"client": client, "documents": len(ids), "ids": tuple(ids)})
