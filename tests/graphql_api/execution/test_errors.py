"""Whatever was raised is told, or masked and logged, by one place."""

import logging
from typing import Any

import pytest
from graphql import GraphQLError, parse

from domain.errors import BadRequest, DoorClosed, NotFound, RateLimited, TooExpensive, Unavailable
from graphql_api.errors import describe, describe_all

NODE = parse("{ field }").definitions[0]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (DoorClosed("No."), {"code": "FORBIDDEN"}),
        (TooExpensive("Less."), {"code": "TOO_EXPENSIVE"}),
        (Unavailable("Later."), {"code": "UNAVAILABLE"}),
        (RateLimited("Slowly.", retry_after=7), {"code": "RATE_LIMITED", "retryAfter": 7}),
        (NotFound("Where?"), {"code": "NOT_FOUND"}),
        (GraphQLError("Syntax."), {"code": "BAD_REQUEST"}),
        (GraphQLError("Argument.", [NODE], path=["field"]), {"code": "BAD_REQUEST"}),
        (GraphQLError("wrapped", path=["field"], original_error=BadRequest("Cursor.")), {"code": "BAD_REQUEST"}),
    ],
)
def test_what_was_expected_is_told(error: Exception, expected: dict[str, Any]) -> None:
    """A refusal keeps its text, and its code is the one that clients know it by."""
    told = describe(error, request_id="r1")

    assert told["extensions"] == expected
    assert told["message"] in {"No.", "Less.", "Later.", "Slowly.", "Where?", "Syntax.", "Argument.", "Cursor."}


@pytest.mark.parametrize(
    "error",
    [
        ZeroDivisionError("secret"),
        GraphQLError("secret", [NODE], path=["field"], original_error=ZeroDivisionError("secret")),
        GraphQLError("secret", path=["field"], original_error=GraphQLError("Int cannot represent secret")),
    ],
)
def test_a_bug_is_masked_and_logged_once(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """The client learns a request id and nothing else; the log has the traceback under that id, once."""
    with caplog.at_level(logging.DEBUG):
        told = describe(error, request_id="r1")

    assert told["message"] == "Something went wrong on our side. Please report request id r1."
    assert told["extensions"] == {"code": "INTERNAL", "requestId": "r1"}
    (record,) = caplog.records
    assert record.name == "taskriver.errors"
    assert record.exc_info
    assert "r1" in record.getMessage()
    assert "secret" not in record.getMessage()


def test_a_refusal_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A closed door is no news."""
    with caplog.at_level(logging.DEBUG):
        describe(GraphQLError("", path=["field"], original_error=DoorClosed("No.")), request_id="r1")

    assert caplog.records == []


def test_errors_come_in_the_order_of_their_paths() -> None:
    """Fields fail in any order; the answer does not show it."""
    paths: list[list[str | int]] = [["b"], ["a", 10, "x"], ["a", 2, "y"], ["a", 2, "x"]]
    errors = [GraphQLError("", path=path, original_error=NotFound("")) for path in paths]

    told = describe_all(errors, request_id="r1")

    assert [error["path"] for error in told] == [["a", 2, "x"], ["a", 2, "y"], ["a", 10, "x"], ["b"]]


def test_a_place_in_the_document_is_told() -> None:
    """Line and column help whoever wrote the query."""
    told = describe(GraphQLError("", [NODE]), request_id="r1")

    assert told["locations"] == [{"line": 1, "column": 1}]
