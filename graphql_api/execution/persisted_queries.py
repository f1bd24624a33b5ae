"""Automatic persisted queries: a client sends the hash of a document instead of its text. Apollo and urql support it.

A client sends `extensions.persistedQuery` with the SHA-256 of a document, without the text. If the server does not
know the hash, it returns `PERSISTED_QUERY_NOT_FOUND`. Then the client sends the hash and the text once; after that, the
hash is enough.
https://www.apollographql.com/docs/apollo-server/performance/apq
"""

import re
from dataclasses import replace
from typing import Any, Final

from domain.errors import BadRequest, UnknownHash
from domain.trusted_document import digest_of
from graphql_api.execution.bounded_cache import BoundedCache
from graphql_api.execution.request import OperationRequest

EXTENSION: Final = "persistedQuery"
MAX_COUNT: Final = 1_000
MAX_BYTES: Final = 4 * 1024 * 1024

_NO_DOCUMENTS: Final = (
    "This server knows no trusted documents (`TRUSTED_DOCUMENTS=off`): put the document's text into `query`."
)
_HASH: Final = re.compile(r"[0-9a-f]{64}")


class PersistedQueries:
    """A cache of the texts that clients sent together with their hashes."""

    def __init__(self, *, max_count: int = MAX_COUNT, max_bytes: int = MAX_BYTES) -> None:
        self._texts: BoundedCache[str] = BoundedCache(max_count=max_count, max_bytes=max_bytes)

    def with_text(self, request: OperationRequest) -> OperationRequest:
        """The request with the text of its document. If it has only a hash, the text comes from the cache.

        Raises:
            UnknownHash: the cache does not contain the hash.
            BadRequest: the hash is malformed, or is not the hash of the text; or there is only a `documentId`.
        """
        digest = _digest(request.extensions.get(EXTENSION))
        if digest is None:
            if not request.query:
                raise BadRequest(_NO_DOCUMENTS)
            return request
        if request.query:
            if digest_of(request.query) != digest:
                raise BadRequest("`extensions.persistedQuery.sha256Hash` is not the SHA-256 of the query's text.")
            return request
        text = self._texts.get(digest)
        if text is None:
            raise UnknownHash
        return replace(request, query=text)

    def store(self, request: OperationRequest) -> None:
        """Store the text of a request with a hash. Call it only if the document is valid."""
        digest = _digest(request.extensions.get(EXTENSION))
        if digest is not None and self._texts.get(digest) is None:
            self._texts.put(digest, request.query, size=len(request.query.encode()))


def _digest(extension: Any) -> str | None:
    if extension is None:
        return None
    if not isinstance(extension, dict) or extension.get("version") != 1:
        raise BadRequest('`extensions.persistedQuery` must be {"version": 1, "sha256Hash": "…"}.')
    digest = extension.get("sha256Hash")
    if not isinstance(digest, str) or not _HASH.fullmatch(digest):
        raise BadRequest("`extensions.persistedQuery.sha256Hash` must be 64 hexadecimal digits in lower case.")
    return digest
