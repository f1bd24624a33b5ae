"""Every exception becomes a public error, or is masked and logged, in one place."""

import logging
from typing import Any

import pytest
from graphql import GraphQLError, parse

from domain.errors import BadRequest, NotFound, PermissionDenied, RateLimited, TooExpensive, Unavailable
from graphql_api.errors import describe, describe_all
from observability.exception_log import MAX_OF_A_KIND
from observability.request_records import MAX_NAME, RequestRecords, record_operation

NODE = parse("{ field }").definitions[0]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (PermissionDenied("No."), {"code": "FORBIDDEN"}),
        (TooExpensive("Less."), {"code": "TOO_EXPENSIVE"}),
        (Unavailable("Later."), {"code": "UNAVAILABLE"}),
        (RateLimited("Slowly.", retry_after=7), {"code": "RATE_LIMITED", "retryAfter": 7}),
        (NotFound("Where?"), {"code": "NOT_FOUND"}),
        (GraphQLError("Syntax."), {"code": "BAD_REQUEST"}),
        (GraphQLError("Argument.", [NODE], path=["field"]), {"code": "BAD_REQUEST"}),
        (GraphQLError("wrapped", path=["field"], original_error=BadRequest("Cursor.")), {"code": "BAD_REQUEST"}),
    ],
)
def test_an_expected_error_is_public(error: Exception, expected: dict[str, Any]) -> None:
    """It keeps its message, and has its public code."""
    described = describe(error, request_id="r1")

    assert described["extensions"] == expected
    assert described["message"] in {"No.", "Less.", "Later.", "Slowly.", "Where?", "Syntax.", "Argument.", "Cursor."}


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
        described = describe(error, request_id="r1")

    assert described["message"] == "Something went wrong on our side. Please report request id r1."
    assert described["extensions"] == {"code": "INTERNAL", "requestId": "r1"}
    (record,) = caplog.records
    assert record.name == "taskriver.errors"
    assert record.exc_info
    assert "r1" in record.getMessage()
    assert "secret" not in record.getMessage()


def _divide() -> float:
    return 1 / 0


def _look_up() -> str:
    return dict[str, str]()["secret"]


def _failures(count: int) -> list[GraphQLError]:
    errors = []
    for number in range(count):
        for fail in (_divide, _look_up):
            try:
                fail()
            except Exception as error:
                errors.append(GraphQLError("", [NODE], path=[number], original_error=error))
    return errors


def test_a_request_that_fails_everywhere_logs_little(caplog: pytest.LogCaptureFixture) -> None:
    """Of each kind of failure the first ones, and when the request is over how many more there were."""
    requests = RequestRecords()
    asked = requests.begin("http", "r1")
    with caplog.at_level(logging.ERROR), asked:
        # As of a subscription that fails at every event.
        for _ in range(10):
            described = describe_all(_failures(100), request_id="r1")
            assert [each["extensions"]["code"] for each in described] == ["INTERNAL"] * 200
        asked.end()

    logged = [record for record in caplog.records if record.name == "taskriver.errors"]
    whole = [record for record in logged if record.exc_info]
    rest = [record.getMessage() for record in logged if not record.exc_info]
    assert len(whole) == 2 * MAX_OF_A_KIND
    assert [text.partition(" at ")[0] for text in rest] == [
        f"{1_000 - MAX_OF_A_KIND} more failures like this one, request r1: {kind}"
        for kind in ("ZeroDivisionError", "KeyError")
    ]
    assert "secret" not in caplog.text.partition("Traceback")[0]


def test_names_of_clients_are_cut_off_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """An operation's name and the aliases on the way to a failure may have thousands of characters."""
    asked = RequestRecords().begin("http", "r1")
    with caplog.at_level(logging.ERROR), asked:
        record_operation("n" * 60_000, "query", known=True)
        (failure,) = _failures(1)[:1]
        describe(GraphQLError("", path=["a" * 60_000], original_error=failure.original_error), request_id="r1")

    assert asked.operation == "n" * MAX_NAME
    assert len(caplog.records[0].getMessage()) < 300


def test_requests_do_not_share_their_bounds(caplog: pytest.LogCaptureFixture) -> None:
    """Each request id that a client can report is in the log."""
    requests = RequestRecords()
    for number in range(10):
        with caplog.at_level(logging.ERROR), requests.begin("http", f"r{number}") as asked:
            describe_all(_failures(1), request_id=asked.request_id)
            asked.end()

    assert len(caplog.records) == 20
    assert all(any(f"request r{number}" in each.getMessage() for each in caplog.records) for number in range(10))


def test_a_refusal_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """It is an expected result."""
    with caplog.at_level(logging.DEBUG):
        describe(GraphQLError("", path=["field"], original_error=PermissionDenied("No.")), request_id="r1")

    assert caplog.records == []


def test_errors_come_in_the_order_of_their_paths() -> None:
    """Fields fail in any order; the answer does not show it."""
    paths: list[list[str | int]] = [["b"], ["a", 10, "x"], ["a", 2, "y"], ["a", 2, "x"]]
    errors = [GraphQLError("", path=path, original_error=NotFound("")) for path in paths]

    described = describe_all(errors, request_id="r1")

    assert [error["path"] for error in described] == [["a", 2, "x"], ["a", 2, "y"], ["a", 10, "x"], ["b"]]


def test_an_error_has_its_position() -> None:
    """Line and column of the query."""
    described = describe(GraphQLError("", [NODE]), request_id="r1")

    assert described["locations"] == [{"line": 1, "column": 1}]
