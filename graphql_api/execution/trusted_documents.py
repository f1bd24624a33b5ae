"""Trusted documents: which document a request names, and whether this server executes it.

A request names a document by `documentId` (GraphQL over HTTP, appendix A), by the hash of an automatic persisted query,
or by its text. All transports ask here before a text is parsed.
"""

import logging
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from domain.actor import Actor
from domain.errors import BadRequest, Unavailable, UnknownDocument, UntrustedDocument
from domain.trusted_document import SHA256_PREFIX, TrustedDocument, TrustMode, digest_of, may_send_untrusted
from graphql_api.execution.documents import Documents
from graphql_api.execution.persisted_queries import EXTENSION, PersistedQueries
from graphql_api.execution.request import OperationRequest

SEVERAL: Final = "several"
"""The client of a document that several clients have, if the request does not name one of them."""
UNNAMED: Final = "unnamed"
OTHER: Final = "other"
"""Clients without trusted documents; clients choose names, and each label value costs memory."""

_CLIENT_HEADERS: Final = (b"graphql-client-name", b"apollographql-client-name")
_MAX_LOGGED: Final = 1_000
"""Different documents that are logged, per process."""

_log: Final = logging.getLogger("taskriver.documents")


@dataclass(slots=True, eq=False)
class _Text:
    """A trusted text, its SHA-256, and its id for each client that has it."""

    text: str
    digest: str
    ids: dict[str, str] = field(default_factory=dict)


class TrustedDocuments:
    """The trusted documents of one process: its *own* ones, which belong to this version, and those that are stored.

    Each has a place in the cache of *documents*. *mode* is not `OFF`: a server that knows none has no such object.
    """

    def __init__(self, mode: TrustMode, documents: Documents, own: Sequence[TrustedDocument] = ()) -> None:
        self.mode = mode
        self._documents = documents
        self._own = own
        self._by_id: dict[str, _Text] = {}
        self._by_digest: dict[str, _Text] = {}
        self._by_text: dict[str, _Text] = {}
        self._clients: frozenset[str] = frozenset()
        self._logged: set[int] = set()
        self._is_read = False
        self.used: Counter[tuple[str, str]] = Counter()
        """The number of requests for each trusted document, by client and id."""
        self.untrusted: Counter[tuple[str, str]] = Counter()
        """The number of requests for other documents, by client, and by `executed` or `refused`."""
        self._replace(())

    def replace(self, stored: Sequence[TrustedDocument]) -> None:
        """Trust these stored documents, besides the own ones, and no others."""
        self._replace(stored)
        self._is_read = True

    @property
    def texts(self) -> Collection[str]:
        """The trusted texts."""
        return self._by_text.keys()

    def names_of(self, text: str) -> str:
        """The clients and ids of a trusted text, for messages."""
        return ", ".join(f"{document_id} of {client}" for client, document_id in self._by_text[text].ids.items())

    def text_of(self, document_id: str) -> str:
        """The trusted text with this id, or ""."""
        found = self._by_name(document_id)
        return found.text if found is not None else ""

    def admit(
        self,
        request: OperationRequest,
        headers: Mapping[bytes, bytes],
        persisted: PersistedQueries,
        actor: Actor | None,
    ) -> OperationRequest:
        """The request with the text of its document, if this server executes it for this actor. It is counted.

        *headers* may name the client. *persisted* are the automatic persisted queries.

        Raises:
            UnknownDocument: no trusted document has the id, or the hash if only trusted documents are executed.
            UntrustedDocument: only trusted documents are executed, and this is none.
            UnknownHash: an automatic persisted query is unknown.
            BadRequest: the request names different documents, or its hash is malformed.
            Unavailable: the stored documents are not known yet, and the request needs one.
        """
        found = self._found(request, persisted)
        if found is None:
            return self._admit_untrusted(request, headers, persisted, actor)
        if request.query and request.query != found.text:
            raise BadRequest("`query` and the id or hash of the request name different documents: send one of them.")
        self.used[self._client_and_id(found, headers)] += 1
        if request.query and not request.extensions:
            return request
        extensions = {name: value for name, value in request.extensions.items() if name != EXTENSION}
        return replace(request, query=found.text, extensions=extensions)

    def _found(self, request: OperationRequest, persisted: PersistedQueries) -> _Text | None:
        """The trusted text that the request names; None if it names none, but has a text or an unknown hash."""
        if request.document_id is not None:
            return self._with_id(request.document_id, request.query)
        found = None
        if EXTENSION in request.extensions:
            digest = _hash_of(request.extensions[EXTENSION])
            found = self._by_name(digest) if digest is not None else None
            if found is None and request.query:
                persisted.with_text(request)  # raises if the hash is malformed, or that of another text
        return found if found is not None else self._by_text.get(request.query)

    def _with_id(self, document_id: str, text: str) -> _Text | None:
        found = self._by_name(document_id)
        if found is None and text and document_id == SHA256_PREFIX + digest_of(text):
            return None  # they agree, but the text is not trusted
        if found is None:
            self._check_is_read()
            raise UnknownDocument(document_id)
        return found

    def _by_name(self, name: str) -> _Text | None:
        return self._by_id.get(name) or self._by_digest.get(name.removeprefix(SHA256_PREFIX))

    def _admit_untrusted(
        self,
        request: OperationRequest,
        headers: Mapping[bytes, bytes],
        persisted: PersistedQueries,
        actor: Actor | None,
    ) -> OperationRequest:
        digest = _hash_of(request.extensions.get(EXTENSION)) if not request.query else None
        if not may_send_untrusted(self.mode, actor) and (request.query or digest is not None):
            self._check_is_read()
            self._count_untrusted(request, headers, "refused")
            raise UntrustedDocument if digest is None else UnknownDocument(digest)
        admitted = persisted.with_text(request)
        self._count_untrusted(admitted, headers, "executed")
        return admitted

    def _check_is_read(self) -> None:
        if not self._is_read:
            raise Unavailable("This server does not know the trusted documents yet; try again later.")

    def _count_untrusted(self, request: OperationRequest, headers: Mapping[bytes, bytes], result: str) -> None:
        named = _client_name(headers)
        client = UNNAMED if named is None else named if named in self._clients else OTHER
        self.untrusted[client, result] += 1
        if (
            request.query
            and len(self._logged) < _MAX_LOGGED
            and (key := hash((client, request.query))) not in self._logged
        ):
            self._logged.add(key)
            name, digest = (request.operation_name or "")[:100], digest_of(request.query)
            _log.warning(
                "a document that is not trusted was %s. operation %r, client %s, SHA-256 %s",
                result,
                name,
                client,
                digest,
            )

    def _client_and_id(self, found: _Text, headers: Mapping[bytes, bytes]) -> tuple[str, str]:
        if len(found.ids) == 1:
            return next(iter(found.ids.items()))
        named = _client_name(headers) or ""
        return (named, found.ids[named]) if named in found.ids else (SEVERAL, found.digest)

    def _replace(self, stored: Sequence[TrustedDocument]) -> None:
        by_id: dict[str, _Text] = {}
        by_text: dict[str, _Text] = {}
        for each in (*stored, *self._own):
            found = by_text.get(each.text)
            if found is None:
                found = by_text[each.text] = self._by_text.get(each.text) or _Text(each.text, digest_of(each.text))
                found.ids = {}
            found.ids[each.client] = each.id
            by_id[each.id] = found
        self._by_id, self._by_text = by_id, by_text
        self._by_digest = {each.digest: each for each in by_text.values()}
        self._clients = frozenset(client for each in by_text.values() for client in each.ids)
        self._documents.trust(by_text.keys())


def _hash_of(extension: Any) -> str | None:
    """The hash of an automatic persisted query. Tools also write other ids into it than SHA-256."""
    digest = extension.get("sha256Hash") if isinstance(extension, dict) else None
    return digest if isinstance(digest, str) and extension.get("version") == 1 else None


def _client_name(headers: Mapping[bytes, bytes]) -> str | None:
    """How the client calls itself; None if it does not."""
    given = next((headers[name] for name in _CLIENT_HEADERS if name in headers), None)
    return given.decode("latin-1") if given is not None else None
