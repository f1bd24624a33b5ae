"""The response to an operation, and its JSON."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import ExecutionResult

from graphql_api.errors import ErrorDict, describe, describe_all


@dataclass(slots=True)
class Response:
    """A GraphQL response. `body` contains `data`, `errors` or both.

    A body without `data` is a request error: the operation was not executed. `encoded` is the JSON of the body, if the
    response is sent to many clients, or was encoded in parts.
    """

    body: dict[str, Any]
    encoded: bytes | None = None
    _text: str | None = None

    @property
    def executed(self) -> bool:
        """Whether the operation was executed."""
        return "data" in self.body

    @property
    def errors(self) -> list[ErrorDict]:
        """The errors, or an empty list."""
        found: list[ErrorDict] = self.body.get("errors", [])
        return found

    @property
    def codes(self) -> set[str]:
        """The codes of the errors."""
        return {error["extensions"]["code"] for error in self.errors}

    def to_text(self, *, request_id: str) -> str:
        """The same as `to_json`, as a string for text frames. It is decoded only once."""
        if self._text is None:
            self._text = self.to_json(request_id=request_id).decode()
        return self._text

    def to_json(self, *, request_id: str) -> bytes:
        """The body as JSON in UTF-8. A value that cannot be encoded is a bug, and becomes a masked error."""
        if self.encoded is not None:
            return self.encoded
        try:
            return orjson.dumps(self.body, option=orjson.OPT_UTC_Z)
        except TypeError as error:
            return orjson.dumps({"data": None, "errors": [describe(error, request_id=request_id)]})


def request_error(*errors: Exception, request_id: str) -> Response:
    """The response to a request whose operation was not executed."""
    return Response({"errors": describe_all(errors, request_id=request_id)})


def execution_error(error: Exception, *, request_id: str) -> Response:
    """The response to an operation that started and failed as a whole."""
    return Response({"data": None, "errors": [describe(error, request_id=request_id)]})


def from_result(result: ExecutionResult, *, request_id: str) -> Response:
    """Convert a result of graphql-core."""
    if not result.errors:
        return Response({"data": result.data})
    errors = describe_all(result.errors, request_id=request_id)
    if _was_executed(result, result.errors):
        return Response({"data": result.data, "errors": errors})
    return Response({"errors": errors})


def _was_executed(result: ExecutionResult, errors: Iterable[Any]) -> bool:
    # Only errors of fields have a path; errors of variables, or of a missing operation, do not.
    return result.data is not None or any(error.path is not None for error in errors)
