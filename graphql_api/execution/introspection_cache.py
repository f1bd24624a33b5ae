"""A cache of responses to introspection queries: they are large, and the same for all users."""

import json
from collections.abc import Mapping
from typing import Any, Final

import orjson

from graphql_api.execution.bounded_cache import BoundedCache
from graphql_api.execution.document import Document
from graphql_api.execution.response import Response

MAX_COUNT: Final = 100
MAX_BYTES: Final = 4 * 1024 * 1024

Key = tuple[str, str, str]


class IntrospectionCache:
    """The JSON of responses by document, operation and variables."""

    def __init__(self, *, max_count: int = MAX_COUNT, max_bytes: int = MAX_BYTES) -> None:
        self._responses: BoundedCache[bytes] = BoundedCache(max_count=max_count, max_bytes=max_bytes)

    def key(self, document: Document, operation: str, variables: Mapping[str, Any]) -> Key | None:
        """The key of an operation that selects only the schema; None for any other operation."""
        introspected = document.introspected.get(operation)
        if introspected is None or not introspected.only_schema:
            return None
        return document.text, operation, json.dumps(variables, sort_keys=True) if variables else ""

    def get(self, key: Key) -> Response | None:
        """The response for this key, or None."""
        data = self._responses.get(key)
        return Response({"data": orjson.Fragment(data)}) if data is not None else None

    def put(self, key: Key, response: Response) -> None:
        """Store a response, if it has no errors."""
        if response.errors or not response.executed:
            return
        data = orjson.dumps(response.body["data"])
        self._responses.put(key, data, size=len(data) + sum(map(len, key)))
