"""Trusted documents for tests."""

import asyncio
from collections.abc import Sequence

from domain.actor import OPERATOR
from domain.trusted_document import TrustedDocument, digest_of
from persistence.database import Database
from services.trusted_document import add_trusted_documents
from tests.support.api import Api
from tests.support.waiting import HANG_SECONDS

ME = "query Me { me { username } }"
CREATE = "mutation Create($input: CreateTaskInput!) { createTask(input: $input) { task { title } } }"
CHANGES = "subscription Changes { taskStatusChanged { cursor } }"


def document(text: str, client: str = "web", *, id: str | None = None) -> TrustedDocument:
    """A document whose id is the SHA-256 of its text, unless one is given."""
    return TrustedDocument(id or digest_of(text), client, "Name", text)


async def add(database: Database, documents: Sequence[TrustedDocument]) -> None:
    """Store documents of one client."""
    client = documents[0].client
    await add_trusted_documents(database.unit_of_work(OPERATOR), client=client, documents=documents)


async def prepared(api: Api) -> None:
    """Wait until all trusted documents are prepared."""
    async with asyncio.timeout(HANG_SECONDS):
        while not api.server.document_reader.is_prepared:
            await asyncio.sleep(0.01)
