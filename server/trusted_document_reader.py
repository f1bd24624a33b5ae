"""Reads the stored trusted documents, notices changes of them, and prepares each document before it is sent."""

import asyncio
import gc
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Final

from domain.actor import Actor
from domain.errors import Unavailable
from domain.trusted_document import TrustedDocument, TrustMode
from graphql_api.errors import cause_of
from graphql_api.execution.compiled_executor import CompiledExecutor
from graphql_api.execution.document import Document
from graphql_api.execution.documents import Documents, InvalidDocument
from graphql_api.execution.trusted_documents import TrustedDocuments
from persistence.database import Database
from persistence.queries.reader import has_room_for_statements
from persistence.repositories.trusted_document import Revision
from server.own_documents import own_documents
from services.trusted_document import list_trusted_documents, trusted_documents_revision
from streaming.asyncio_helpers import run_forever

POLL_SECONDS: Final = 1.0
"""After this time at most, a process knows documents that were added, and no longer those that were removed."""
BETWEEN_FREEZES: Final = 20
"""The documents after which the new objects are taken out of the garbage collection."""

_log: Final = logging.getLogger("taskriver.documents")


def trusted_documents(mode: TrustMode, documents: Documents) -> TrustedDocuments | None:
    """The trusted documents of a process, so far only the own ones; None if it knows none."""
    return TrustedDocuments(mode, documents, own_documents()) if mode is not TrustMode.OFF else None


class TrustedDocumentReader:
    """Keeps *trusted* as the database has it; without it there is nothing to do.

    *compiled* makes plans, if at all, with statements for such *actors*.
    """

    def __init__(
        self,
        database: Database,
        documents: Documents,
        trusted: TrustedDocuments | None,
        compiled: CompiledExecutor | None,
        actors: Sequence[Actor] = (),
    ) -> None:
        self._database = database
        self._documents = documents
        self._trusted = trusted
        self._compiled = compiled
        self._actors = actors
        self._revision: Revision | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._changed = asyncio.Event()
        self._planned: set[str] = set()
        self._with_statements: set[str] = set()
        self.is_prepared = False
        """Whether every trusted document is prepared."""

    async def start(self) -> None:
        """Read the documents, and prepare them in the background. If the database is unavailable, read them later."""
        if self._trusted is None:
            return
        with suppress(Unavailable):
            await self.read()
        self._changed.set()
        prepare = partial(self._prepare_changed, self._trusted)
        self._tasks = [
            asyncio.create_task(run_forever(self._poll, "reading the trusted documents")),
            asyncio.create_task(run_forever(prepare, "preparing the trusted documents")),
        ]

    def stop(self) -> None:
        """Stop reading and preparing."""
        for task in self._tasks:
            task.cancel()

    async def read(self) -> None:
        """Read the documents if they have changed.

        Raises:
            Unavailable: the database is unavailable. The documents that are known stay trusted.
        """
        if self._trusted is None:
            return
        revision = await trusted_documents_revision(self._database.unit_of_work(None))
        if revision == self._revision:
            return
        rows = await list_trusted_documents(self._database.unit_of_work(None))
        self._trusted.replace([TrustedDocument(row.id, row.client, row.name, row.text) for row in rows])
        self._revision = revision
        self.is_prepared = False
        self._changed.set()
        _log.info("trusted documents were read: %d", len(rows))

    async def _poll(self) -> None:
        await asyncio.sleep(POLL_SECONDS)
        await self.read()

    async def _prepare_changed(self, trusted: TrustedDocuments) -> None:
        await self._changed.wait()
        self._changed.clear()
        began, texts = monotonic(), list(trusted.texts)
        # The plans of all documents come first: a document without its statements costs less than one without its plan.
        for done, work in ((self._planned, self._plan), (self._with_statements, self._compile)):
            done.intersection_update(texts)
            for number, text in enumerate([each for each in texts if each not in done], 1):
                if self._changed.is_set():
                    return  # and begin again with what is missing then
                await self._prepare(trusted, text, work)
                done.add(text)
                if number % BETWEEN_FREEZES == 0:
                    _freeze()
        _freeze()
        self.is_prepared = True
        _log.info("trusted documents are planned: %d, in %.1f s", len(texts), monotonic() - began)

    async def _prepare(self, trusted: TrustedDocuments, text: str, work: Callable[[Document], None]) -> None:
        try:
            await self._documents.prepare(text, work)
        except InvalidDocument as invalid:
            if work == self._compile:
                return  # It was logged before.
            reason = getattr(cause := cause_of(invalid.errors[0]), "message", str(cause))
            names = trusted.names_of(text)
            _log.warning("a trusted document is not valid in this version: %s. %s", names, reason)
        except Exception:
            # The first request for the document parses and plans it.
            _log.exception("a trusted document was not prepared: %s", trusted.names_of(text))

    def _plan(self, document: Document) -> None:
        if self._compiled is not None:
            self._compiled.plan_ahead(document)

    def _compile(self, document: Document) -> None:
        if self._compiled is not None and has_room_for_statements():
            self._compiled.compile_ahead(document, self._actors)


def _freeze() -> None:
    """Take the objects of prepared documents out of the garbage collection, which would scan them again and again."""
    gc.collect()
    gc.freeze()
