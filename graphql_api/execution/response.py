"""What an operation answers, and its JSON."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import ExecutionResult

from graphql_api.errors import ErrorDict, describe, describe_all


@dataclass(slots=True)
class Response:
    """A GraphQL response: `body` has `data`, `errors` or both, ready for JSON.

    A body without `data` is a request error: nothing of the operation ran. `written` is the JSON, if it is there
    already: what goes to many is written once.
    """

    body: dict[str, Any]
    written: bytes | None = None
    _text: str | None = None

    @property
    def executed(self) -> bool:
        """Whether execution began."""
        return "data" in self.body

    @property
    def errors(self) -> list[ErrorDict]:
        """The errors, possibly none."""
        found: list[ErrorDict] = self.body.get("errors", [])
        return found

    @property
    def codes(self) -> set[str]:
        """The codes among the errors."""
        return {error["extensions"]["code"] for error in self.errors}

    def to_text(self, *, request_id: str) -> str:
        """As `to_json`, for a frame of text; read once, however many it goes to."""
        if self._text is None:
            self._text = self.to_json(request_id=request_id).decode()
        return self._text

    def to_json(self, *, request_id: str) -> bytes:
        """The body as UTF-8 JSON; a value that JSON cannot hold is a bug, masked like any other."""
        if self.written is not None:
            return self.written
        try:
            return orjson.dumps(self.body, option=orjson.OPT_UTC_Z)
        except TypeError as error:
            return orjson.dumps({"data": None, "errors": [describe(error, request_id=request_id)]})


def refused(*errors: Exception, request_id: str) -> Response:
    """The response to a request of which nothing ran."""
    return Response({"errors": describe_all(errors, request_id=request_id)})


def failed(error: Exception, *, request_id: str) -> Response:
    """The response to an operation that began and came to nothing."""
    return Response({"data": None, "errors": [describe(error, request_id=request_id)]})


def from_result(result: ExecutionResult, *, request_id: str) -> Response:
    """The response that graphql-core's result stands for."""
    if not result.errors:
        return Response({"data": result.data})
    errors = describe_all(result.errors, request_id=request_id)
    return Response({"data": result.data, "errors": errors} if _began(result, result.errors) else {"errors": errors})


def _began(result: ExecutionResult, errors: Iterable[Any]) -> bool:
    # Errors of fields have a path; those of variables and of choosing the operation have none.
    return result.data is not None or any(error.path is not None for error in errors)
