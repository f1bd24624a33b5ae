"""Operations run as specified, and every error is a response."""

from contextlib import aclosing
from typing import Any

import pytest
from graphql import OperationType

from asgi.request_context import RequestContext
from graphql_api.execution.documents import Documents
from graphql_api.execution.executor import Executor, Operation
from graphql_api.execution.request import OperationRequest
from graphql_api.execution.response import Response
from tests.support.echo_app import EchoContext, Journal, schema


def _context() -> EchoContext:
    facts = RequestContext(None, None, "r1", "http", {"headers": []})
    return EchoContext(facts, Journal())


def _executor(timeout: float = 5.0) -> Executor[EchoContext]:
    return Executor(schema, Documents(schema), timeout=timeout, renew_context=EchoContext.renewed)


async def _prepared(executor: Executor[EchoContext], query: str, **variables: Any) -> Operation | Response:
    return await executor.prepare(OperationRequest(query, None, variables, {}), request_id="r1")


async def _run(query: str, *, most: float = 5.0, **variables: Any) -> Response:
    executor = _executor(most)
    operation = await _prepared(executor, query, **variables)
    return operation if isinstance(operation, Response) else await executor.execute(operation, _context())


async def _listen(query: str, context: EchoContext | None = None) -> list[Response]:
    executor = _executor()
    operation = await _prepared(executor, query)
    assert isinstance(operation, Operation)
    return [response async for response in executor.stream(operation, context or _context())]


class TestExecute:
    async def test_a_query_is_answered(self) -> None:
        """Variables, nested fields and Strawberry's resolvers work together."""
        response = await _run("query($t: String!) { echo(text: $t) item { parent { name } } }", t="hi")
        assert response.body == {"data": {"echo": "hi", "item": {"parent": {"name": "root"}}}}

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("{", "BAD_REQUEST"),
            ("{ nothing }", "BAD_REQUEST"),
            ("query($t: String!) { echo(text: $t) }", "BAD_REQUEST"),
            ("query A { item { name } } query B { item { name } }", "BAD_REQUEST"),
            ("{ items(first: 100) { children(first: 100) { name } } }", "TOO_EXPENSIVE"),
        ],
    )
    async def test_a_request_error_has_no_data(self, query: str, code: str) -> None:
        """Nothing ran, and the response says so."""
        response = await _run(query)
        assert not response.executed
        assert response.codes == {code}

    async def test_variables_that_are_not_text_are_refused(self) -> None:
        """A NUL goes no further than here."""
        response = await _run("query($t: String!) { echo(text: $t) }", t="\x00")
        assert response.codes == {"BAD_REQUEST"}
        assert not response.executed

    async def test_a_failing_field_leaves_the_others(self) -> None:
        """Partial data comes with the errors of what is missing."""
        response = await _run('{ echo(text: "a") bug missing me }')
        assert response.body["data"] == {"echo": "a", "bug": None, "missing": None, "me": None}
        assert response.codes == {"INTERNAL", "NOT_FOUND", "UNAUTHENTICATED"}

    async def test_null_that_reaches_the_top_is_still_an_execution(self) -> None:
        """`data: null` is not the absence of data."""
        response = await _run("{ strictlyMe }")
        assert response.body["data"] is None
        assert response.executed

    async def test_an_operation_that_takes_too_long_is_unavailable(self) -> None:
        """The client is informed in time, and may retry."""
        response = await _run("{ slow(seconds: 5) }", most=0.05)
        assert response.codes == {"UNAVAILABLE"}
        assert response.executed

    async def test_a_mutation_that_times_out_has_an_unknown_result(self) -> None:
        """The message says so."""
        response = await _run('mutation { note(text: "a", seconds: 5) }', most=0.05)
        assert "may or may not" in response.errors[0]["message"]

    async def test_a_value_that_json_cannot_hold_is_a_masked_error(self) -> None:
        """The response is valid JSON."""
        response = await _run("{ huge }")
        assert b"INTERNAL" in response.to_json(request_id="r1")

    async def test_the_type_is_known_before_anything_runs(self) -> None:
        """A transport decides by it."""
        operation = await _prepared(_executor(), "mutation { cookie }")
        assert isinstance(operation, Operation)
        assert operation.type is OperationType.MUTATION


class TestStream:
    async def test_a_query_is_a_stream_of_one_response(self) -> None:
        """Sockets treat all operations alike."""
        assert [response.body for response in await _listen("{ item { name } }")] == [
            {"data": {"item": {"name": "root"}}}
        ]

    async def test_a_subscription_delivers_every_event(self) -> None:
        """In order."""
        responses = await _listen("subscription { count(target: 4) }")
        assert [response.body["data"]["count"] for response in responses] == [0, 1, 2, 3]

    async def test_every_event_has_a_fresh_context(self) -> None:
        """Each is the renewal of the operation's own, so no loader lives longer than its event."""
        responses = await _listen("subscription { generations { number } }")
        assert [response.body["data"]["generations"]["number"] for response in responses] == [1, 1, 1]

    async def test_a_refused_subscription_never_ran(self) -> None:
        """One response, without data."""
        (response,) = await _listen("subscription { refused }")
        assert not response.executed
        assert response.codes == {"UNAUTHENTICATED"}

    async def test_a_source_that_breaks_ends_with_a_masked_error(self) -> None:
        """Earlier responses are not affected."""
        first, last = await _listen("subscription { failing }")
        assert first.body == {"data": {"failing": 1}}
        assert last.codes == {"INTERNAL"}
        assert not last.executed

    async def test_closing_it_closes_the_source(self) -> None:
        """The resolver's `finally` runs at once, not when memory is tidied."""
        executor, context = _executor(), _context()
        operation = await _prepared(executor, "subscription { endless }")
        assert isinstance(operation, Operation)
        async with aclosing(executor.stream(operation, context)) as responses:
            await anext(responses)

        assert context.journal.events[-1] == "endless closed"
