"""Finds the requests that can be answered without ASGI layers: usual ones, for known documents and identities."""

from collections.abc import Callable
from functools import partial
from typing import Final, Generic

import orjson
from starlette.types import ASGIApp

from asgi.client import Identity
from asgi.direct_request import DirectRequest
from domain.errors import BadRequest
from graphql_api.execution.executor import ContextT, Executor
from graphql_api.execution.request import OperationRequest, parse_request
from graphql_api.transports.http.body import COMMON_TYPES
from graphql_api.transports.http.content_negotiation import GRAPHQL, JSON
from graphql_api.transports.http.endpoint import MAX_BODY, GraphQLHTTP

CachedIdentity = Callable[[str], Identity | None]
"""The identity for an `Authorization` header, if it is known without asking the database."""

_MEDIA: Final = {b"": JSON, b"*/*": JSON, JSON.encode(): JSON, GRAPHQL.encode(): GRAPHQL}
"""The media type of the response for the usual values of `Accept`."""


class GraphQLDirect(Generic[ContextT]):
    """Answers a request like *http*, without reading its body and its token again.

    Everything else goes through all layers: a new document, a persisted query, a token that is not cached, a malformed
    request. So this is only a shorter path to the same code.
    """

    def __init__(
        self,
        http: GraphQLHTTP[ContextT],
        executor: Executor[ContextT],
        cached_identity: CachedIdentity,
        *,
        path: str,
        max_body: int = MAX_BODY,
    ) -> None:
        self._http = http
        self._executor = executor
        self._cached_identity = cached_identity
        self._max_body = max_body
        self.direct_path = path.encode("ascii")

    def direct_app(self, request: DirectRequest, body: bytes) -> ASGIApp | None:
        """What answers the request; None, without effect, if it has to go through all layers."""
        headers = request.headers
        media = _MEDIA.get(headers.get(b"accept", b""))
        if media is None or headers.get(b"content-type") not in COMMON_TYPES or len(body) > self._max_body:
            return None
        operation = self._known_operation(body)
        if operation is None:
            return None
        identity = self._cached_identity(headers.get(b"authorization", b"").decode("latin-1"))
        if identity is None:
            return None
        return partial(self._http.serve_known, request, operation, identity, media)

    def _known_operation(self, body: bytes) -> OperationRequest | None:
        try:
            request = parse_request(orjson.loads(body))
        except (orjson.JSONDecodeError, BadRequest):
            return None
        return request if not request.extensions and self._executor.knows(request) else None
