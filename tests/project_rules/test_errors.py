"""docs/errors.md lists the error codes that the code has, and no others."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import GraphQLEnumType, build_schema

from asgi.close_codes import CloseCode
from domain.errors import ErrorCode, FailureCode
from graphql_api.execution.response import Response
from graphql_api.transports.http.content_negotiation import GRAPHQL, status_of
from rest_api.endpoints import OPERATIONS
from rest_api.refusals import refusals

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/errors.md").read_text()
GRAPHQL_STATUSES, REST_STATUSES, PROVIDER_STATUSES = "HTTP: GraphQL", "HTTP: REST", "HTTP: sign-in providers"
PACKAGES = ("graphql_api", "asgi", "rest_api", "server")
"""Where answers are made."""
RAISES_STATUS = {"HTTPResponse", "HTTPError", "Refused", "Reply", "reject_handshake", "refusal", "_refusal"}
"""Functions and classes that take an HTTP status as an argument."""


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head."""
    section = re.split(r"^## ", PAGE.partition(f"## {heading}\n")[2], flags=re.MULTILINE)[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def listed(heading: str) -> list[str]:
    """The codes in the first column of the table below a heading."""
    return [code for cells in rows(heading) for code in re.findall(r"[A-Z][A-Z_]+|\d+", cells[0])]


def statuses(heading: str) -> set[int]:
    """The HTTP statuses of a table."""
    return set(map(int, listed(heading)))


def enum_values(name: str) -> list[str]:
    """The values of an enum of schema.graphql."""
    kind = build_schema((ROOT / "schema.graphql").read_text()).type_map[name]
    assert isinstance(kind, GraphQLEnumType)
    return list(kind.values)


@pytest.mark.parametrize(
    ("heading", "codes"),
    [
        ("GraphQL: `extensions.code`", [code.value for code in FailureCode]),
        ("GraphQL: `userErrors.code`", [code.value for code in ErrorCode]),
        ("GraphQL: `userErrors.code`", enum_values("ErrorCode")),
        ("Subscriptions: `ResyncRequired.reason`", enum_values("ResyncReason")),
        ("WebSocket close codes", [str(code.value) for code in CloseCode]),
    ],
)
def test_every_code_is_listed(heading: str, codes: list[str]):
    """A table has one row for each code, in the order of the code."""
    assert listed(heading) == codes


def test_the_helper_retries_as_the_page_says():
    """The close codes without a retry are those that examples/resumable treats as fatal."""
    helper = (ROOT / "examples/resumable/resumable.py").read_text()
    fatal = set(re.findall(r"\d+", helper.partition("FATAL = {")[2].partition("}")[0]))
    final = {code for code, *_, retry in rows("WebSocket close codes") if retry == "no"}
    assert final == fatal & set(listed("WebSocket close codes"))


def test_every_http_status_is_listed():
    """The tables contain each status that the code uses, and no other one."""
    used = {status for package in PACKAGES for path in (ROOT / package).rglob("*.py") for status in statuses_in(path)}
    assert statuses(GRAPHQL_STATUSES) | statuses(REST_STATUSES) | statuses(PROVIDER_STATUSES) == used


def test_the_status_of_every_failure_is_listed():
    """The GraphQL table contains the status that each code has in `application/graphql-response+json`."""
    failures = [Response({"errors": [{"extensions": {"code": code.value}}]}) for code in FailureCode]
    assert {status_of(failure, GRAPHQL) for failure in failures} <= statuses(GRAPHQL_STATUSES)


def test_every_status_of_the_openapi_description_is_listed():
    """The REST table contains the statuses that the endpoints document."""
    documented = {
        refused.status
        for operation in OPERATIONS
        for method in operation.methods
        for refused in refusals(operation, method)
    }
    assert documented | {operation.reply.status for operation in OPERATIONS} <= statuses(REST_STATUSES)


def statuses_in(path: Path) -> Iterator[int]:
    """The HTTP statuses that a module passes to a call or keeps in a dictionary `_STATUS`."""
    for node in ast.walk(ast.parse(path.read_text())):
        for value in _status_values(node):
            if isinstance(value, ast.Constant) and isinstance(value.value, int) and 200 <= value.value < 600:
                yield value.value


def _status_values(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=keywords):
            named = [each.value for each in keywords if each.arg == "status"]
            return [*named, *(arguments if name in RAISES_STATUS else ())]
        case ast.AnnAssign(target=ast.Name(id="_STATUS"), value=ast.Dict(values=values)):
            return values
    return []
