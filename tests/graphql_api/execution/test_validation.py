"""An error about a literal or a variable names its position, in terms of JSON and not of Python."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    get_named_type,
    get_nullable_type,
    is_required_argument,
    is_required_input_field,
)

from asgi.request_context import RequestContext
from graphql_api.errors import describe
from graphql_api.execution import validation
from graphql_api.execution.documents import Documents
from graphql_api.execution.executor import Executor
from graphql_api.execution.request import OperationRequest
from graphql_api.execution.response import Response
from graphql_api.root import schema
from tests.support.echo_app import EchoContext, Journal

CORE = schema._schema
EXECUTOR: Executor[EchoContext] = Executor(schema, Documents(schema))
VALUES: list[Any] = [
    None, True, False, 1, -3, 2**40, 10**400, 1.5, "x", "", "2026-13-01T00:00:00Z",
    [], [None], [True, "x", {}], {}, {"x": None}, {"a": [1, {"b": False}]},
]  # fmt: skip
LITERALS = ["NO_SUCH_VALUE", "{status: TODO, x: $v}", "9" * 6_000, '{password: "geheim", x: null}']
PYTHON = re.compile(r"\bNone\b|\bTrue\b|\bFalse\b|<class|<enum|object at 0x|Undefined|[A-Z]\w+\.[A-Z_]+\b|\('|\{'|\['")
NAMES = re.compile(r"Argument '\w+' has invalid value|Variable '\$v' ")


def _literal(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_literal(each)}" for name, each in value.items()) + "}"
    return json.dumps(value)


def _good(kind: Any) -> str:
    """A literal that is right."""
    kind = get_nullable_type(kind)
    if isinstance(kind, GraphQLInputObjectType):
        needed = (f"{name}: {_good(each.type)}" for name, each in kind.fields.items() if is_required_input_field(each))
        return "{" + ", ".join(needed) + "}"
    if isinstance(kind, GraphQLEnumType):
        return str(next(iter(kind.values)))
    if isinstance(kind, GraphQLList):
        return "[]"
    good = {"Int": "1", "Boolean": "true", "DateTime": '"2026-01-01T00:00:00Z"'}
    return str(good.get(kind.name, '"x"'))


def _places() -> Iterator[tuple[str, Any]]:
    """A document with a % for each argument and each field of an input, and the type of what stands there."""
    for root, operation in ((CORE.query_type, "query"), (CORE.mutation_type, "mutation")):
        assert root is not None
        for name, field in root.fields.items():
            for argument, known in field.args.items():
                yield _document(operation, name, field, argument, "%"), known.type
                kind = get_nullable_type(known.type)
                if isinstance(kind, GraphQLInputObjectType):
                    for inner, each in kind.fields.items():
                        value = "{" + ", ".join([f"{inner}: %", *_others(kind, inner)]) + "}"
                        yield _document(operation, name, field, argument, value), each.type


def _others(kind: GraphQLInputObjectType, but: str) -> list[str]:
    return [
        f"{name}: {_good(each.type)}"
        for name, each in kind.fields.items()
        if name != but and is_required_input_field(each)
    ]


def _document(operation: str, name: str, field: GraphQLField, argument: str, value: str) -> str:
    others = [
        f"{other}: {_good(known.type)}"
        for other, known in field.args.items()
        if other != argument and is_required_argument(known)
    ]
    below = " { __typename }" if hasattr(get_named_type(field.type), "fields") else ""
    return f"{operation} {{ {name}({', '.join([f'{argument}: {value}', *others])}){below} }}"


def _kinds(kind: Any) -> Iterator[Any]:
    """The types that a variable in this place may have."""
    yield kind
    if not isinstance(kind, GraphQLNonNull):
        yield GraphQLNonNull(kind)


async def _errors(query: str, **variables: Any) -> list[dict[str, Any]]:
    facts = RequestContext(None, None, "r1", "http", {"headers": []})
    prepared = await EXECUTOR.prepare(OperationRequest(query, None, variables, {}), request_id="r1")
    if isinstance(prepared, Response):
        return prepared.errors
    built = EXECUTOR._build(prepared, EchoContext(facts, Journal()))
    return Response({"errors": [_messages(each) for each in built]}).errors if isinstance(built, list) else []


def _messages(error: Any) -> dict[str, Any]:
    return describe(error, request_id="r1")


PLACES = list(_places())


@pytest.mark.parametrize(("document", "kind"), PLACES, ids=[place for place, _ in PLACES])
class TestEveryPosition:
    async def test_a_wrong_literal(self, document: str, kind: Any):
        """Each literal is right, or refused with its argument, its place and a location."""
        for literal in [*map(_literal, VALUES), *LITERALS]:
            errors = await _errors(document.replace("%", literal))
            for error in errors:
                if "'x' is not" in error["message"] or "'$v' is not defined" in error["message"]:
                    continue
                self._check(error)

    async def test_a_wrong_variable(self, document: str, kind: Any):
        """Each value is right, or refused with its variable and its place."""
        for declared in _kinds(kind):
            query = re.sub(r"^(\w+)", rf"\1 ($v: {declared})", document.replace("%", "$v"))
            for value in VALUES:
                for error in await _errors(query, v=value):
                    self._check(error)

    @staticmethod
    def _check(error: dict[str, Any]) -> None:
        assert error["extensions"] == {"code": "BAD_REQUEST"}
        assert error["locations"], error
        assert NAMES.match(error["message"]), error
        assert not PYTHON.search(error["message"]), error
        assert "geheim" not in error["message"] or "represent" in error["message"], error


class TestWording:
    @pytest.mark.parametrize(
        ("query", "variables", "message"),
        [
            (
                '{ tasks(filter: {dueAfter: "2026-01-01T00:00:00Z", dueBefore: "soon"}) { totalCount } }',
                {},
                (
                    "Argument 'filter' has invalid value at .dueBefore: A DateTime looks like 2026-12-24T18:00:00Z: "
                    "RFC 3339, with an offset from UTC."
                ),
            ),
            (
                "{ tasks(filter: {status: [TODO, X]}) { totalCount } }",
                {},
                "Argument 'filter' has invalid value at .status[1]: Value 'X' does not exist in 'TaskStatus' enum.",
            ),
            (
                "query ($v: TaskFilter = {dueBefore: 5}) { tasks(filter: $v) { totalCount } }",
                {},
                (
                    "Variable '$v' has invalid default value at .dueBefore: A DateTime looks like 2026-12-24T18:00:00Z"
                    ": RFC 3339, with an offset from UTC."
                ),
            ),
            (
                "query ($v: TaskFilter) { tasks(filter: $v) { totalCount } }",
                {"v": {"search": {"a": None}}},
                "Variable '$v' has invalid value at .search: String cannot represent a non string value: {\"a\": null}",
            ),
            (
                "mutation ($v: LoginInput!) { login(input: $v) { __typename } }",
                {"v": {"password": "geheim"}},
                (
                    "Variable '$v' has invalid value: Expected value of type 'LoginInput' to include required field "
                    "'username'."
                ),
            ),
            (
                "query ($v: Int!) { tasks(first: $v) { totalCount } }",
                {},
                "Variable '$v' has invalid value: Expected a value of non-null type 'Int!' to be provided.",
            ),
        ],
    )
    async def test_the_error_has_a_position(self, query: str, variables: dict[str, Any], message: str):
        """With line and column."""
        (error,) = await _errors(query, **variables)
        assert error["message"] == message
        assert error["locations"]

    async def test_a_location_is_that_of_the_literal(self):
        """In an object, too."""
        (error,) = await _errors("{\n tasks(filter: {\n  search: {a: 1}}) { totalCount } }")
        assert error["locations"] == [{"line": 3, "column": 11}]

    async def test_only_some_invalid_elements_are_listed(self):
        """The first few."""
        errors = await _errors("query ($v: [ID!]!) { nodes(ids: $v) { id } }", v=[None] * 4_000)
        assert len(errors) == validation.MAX_ERRORS
