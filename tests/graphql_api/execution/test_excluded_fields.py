"""What `@skip` and `@include` exclude costs nothing, and what they do not exclude costs as much as ever."""

from itertools import product
from typing import Any

import pytest
from graphql import parse

from domain.errors import TooExpensive
from graphql_api.execution.documents import Documents, InvalidDocument
from graphql_api.execution.limits import Limits
from graphql_api.execution.query_cost import CostCalculator, Switches
from graphql_api.root import schema as api_schema
from tests.support.api import Api
from tests.support.echo_app import schema
from tests.support.work import counted

MOST_CALLS = 500_000
"""As in `test_limits`."""

PAGES = "items(first: 100) { children(first: 100) { name } }"
"""More than any operation may resolve."""
AROUND = {
    "field": PAGES.replace("items(first: 100)", "items(first: 100) @skip(if: $v)"),
    "inner field": PAGES.replace("children(first: 100)", "children(first: 100) @skip(if: $v)"),
    "inline fragment": f"... @skip(if: $v) {{ {PAGES} }}",
    "fragment": "...F @skip(if: $v)",
    "field in a fragment": "...G",
    "fragment in a fragment": "...H",
}
"""The ways to exclude it."""
FRAGMENTS = f"""fragment F on Query {{ {PAGES} }} fragment G on Query {{ {AROUND["field"]} }}
    fragment H on Query {{ item {{ name }} ...F @skip(if: $v) }}"""
"""Other ways use `@include(if: $v)`, or constants, in the place of `@skip(if: $v)`."""


def document(selection: str, *, variables: str = "") -> str:
    """An operation with these fragments; unused ones would not be valid."""
    used = [name for name in "FGH" if f"...{name}" in selection or (name == "F" and "...H" in selection)]
    parts = FRAGMENTS.split("fragment ")
    fragments = [f"fragment {part}" for part in parts if part[:1] in used]
    return f"query {variables} {{ item {{ name }} {selection} }} {' '.join(fragments)}"


def is_refused(documents: Documents, text: str, variables: dict[str, Any]) -> bool:
    """Whether the cost is refused, when the document is read or when it is sent with these variables."""
    try:
        found = documents.get(text)
        documents.check_cost(found, found.operation(None), variables)
    except InvalidDocument as invalid:
        [error] = invalid.errors
        assert isinstance(error, TooExpensive), error
        return True
    except TooExpensive:
        return True
    return False


class TestConstants:
    @pytest.mark.parametrize("name", AROUND)
    @pytest.mark.parametrize(
        ("directives", "excluded"),
        [
            ("@skip(if: true)", True),
            ("@skip(if: false)", False),
            ("@include(if: true)", False),
            ("@include(if: false)", True),
            ("@skip(if: false) @include(if: true)", False),
            ("@skip(if: false) @include(if: false)", True),
            ("@skip(if: true) @include(if: true)", True),
            ("@include(if: true) @skip(if: true)", True),
        ],
    )
    def test_they_decide_when_the_document_is_read(self, name: str, directives: str, excluded: bool):
        """In every place where a directive can stand."""
        text = document(AROUND[name]).replace("@skip(if: $v)", directives)
        assert is_refused(Documents(schema), text, {}) is not excluded


class TestVariables:
    @pytest.mark.parametrize("name", AROUND)
    @pytest.mark.parametrize("directive", ["skip", "include"])
    def test_their_values_decide(self, name: str, directive: str):
        """In any order: what was found for one value is not used for another one."""
        text = document(AROUND[name], variables="($v: Boolean!)").replace("@skip", f"@{directive}")
        documents = Documents(schema)
        for value in (True, False, True, True, False, False, True):
            assert is_refused(documents, text, {"v": value}) is (value is (directive == "include"))

    @pytest.mark.parametrize("directive", ["skip", "include"])
    @pytest.mark.parametrize("value", [None, 0, 1, "", "true", "false", [], [True], {}, 0.0])
    def test_what_is_no_boolean_excludes_nothing(self, directive: str, value: object):
        """The executors refuse it later; until then it counts in full."""
        text = document(AROUND["field"], variables="($v: Boolean!)").replace("@skip", f"@{directive}")
        assert is_refused(Documents(schema), text, {"v": value})

    @pytest.mark.parametrize(("directive", "excluding"), [("skip", True), ("include", False)])
    def test_a_default_counts_when_nothing_is_given(self, directive: str, excluding: bool):
        """And the given value otherwise, also if it is null."""
        for default in (True, False):
            text = document(AROUND["field"], variables=f"($v: Boolean! = {str(default).lower()})")
            documents, text = Documents(schema), text.replace("@skip", f"@{directive}")
            assert is_refused(documents, text, {}) is (default is not excluding)
            for given in (True, False, None):
                assert is_refused(documents, text, {"v": given}) is (given is not excluding)

    def test_a_missing_value_counts_in_full(self):
        """The executors refuse the operation."""
        for directive in ("skip", "include"):
            text = document(AROUND["field"], variables="($v: Boolean!)").replace("@skip", f"@{directive}")
            assert is_refused(Documents(schema), text, {})

    def test_each_combination_of_switches_and_sizes_is_checked(self):
        """A cached result is not used for other values, neither of one operation nor of another."""
        text = """query A($n: Int!, $a: Boolean!, $b: Boolean!) { ...P }
            query B($n: Int!, $a: Boolean!, $b: Boolean!) { again: item { name } ...P }
            fragment P on Query {
                items(first: $n) @include(if: $a) { name children(first: $n) @skip(if: $b) { name } } }"""
        documents = Documents(schema, Limits(max_cost=401))
        found = documents.get(text)
        for _ in range(3):
            for operation, n, a, b in product("AB", (1, 19, 20, 100, 200), (True, False), (True, False)):
                size = min(n, 100)
                fields = (1 + size + size * (not b) + size * size * (not b)) * a + 2 * (operation == "B")
                try:
                    documents.check_cost(found, found.operation(operation), {"n": n, "a": a, "b": b})
                except TooExpensive:
                    assert fields > 401, (operation, n, a, b)
                else:
                    assert fields <= 401, (operation, n, a, b)

    def test_a_value_of_a_switch_is_not_that_of_a_size(self):
        """True and 1 are equal in Python, and mean different things here."""
        text = """query ($n: Int!, $v: Boolean!) {
            items(first: $n) { name } more: items(first: 100) @include(if: $v) { children(first: 100) { name } } }"""
        documents = Documents(schema)
        assert not is_refused(documents, text, {"n": 1, "v": False})
        assert is_refused(documents, text, {"n": 1, "v": True})
        assert is_refused(documents, text, {"n": 1, "v": 1})
        assert is_refused(documents, text, {"n": 1, "v": 0})

    def test_the_rest_counts(self):
        """A cheap switch does not make an expensive document cheap."""
        text = f"query ($v: Boolean!) {{ item @skip(if: $v) {{ name }} {PAGES} }}"
        assert is_refused(Documents(schema), text, {"v": True})


class TestOtherLimits:
    def test_excluded_parts_count_for_the_document(self):
        """Its depth, and whether it introspects or may have long texts, do not depend on variables."""
        text = "query ($v: Boolean!) { __schema @include(if: $v) { types { name } } }"
        assert Documents(schema).get(text).introspected
        texts = " ".join(f"{name}: description" for name in "abc")
        text = f"query ($v: Boolean!) {{ tasks(first: 100) @include(if: $v) {{ nodes {{ {texts} }} }} }}"
        assert Documents(api_schema).get(text).large

    @pytest.mark.parametrize("directive", ["@skip(if: true)", "@include(if: $v)"])
    def test_excluded_fragments_that_double_take_linear_time(self, directive: str):
        """Nothing counts what they could resolve, and nothing follows them more than once."""
        next_two = [f"...F{link + 1} {directive} ...F{link + 1} {directive}" for link in range(58)]
        chain = " ".join(f"fragment F{link} on Item {{ {each} }}" for link, each in enumerate(next_two[:48]))
        variables = "($v: Boolean!)" if "$" in directive else ""
        text = f"query {variables} {{ item {{ ...F0 }} }} {chain} fragment F48 on Item {{ name }}"
        documents = Documents(schema)
        with counted() as work:
            assert not is_refused(documents, text, {"v": False})
            if variables:
                assert is_refused(documents, text, {"v": True})
        assert work.calls < MOST_CALLS


class TestCalculator:
    @pytest.mark.parametrize(
        ("switches", "cost"),
        [({}, 1), ({"v": True}, 1), ({"v": False}, 11), ({"v": None}, 11)],
    )
    def test_unknown_switches_cost_the_least(self, switches: Switches, cost: int):
        """So that a document is refused at once only if it is always refused."""
        ast = parse("query ($v: Boolean!) { items(first: 10) { name @skip(if: $v) } }")
        assert CostCalculator(schema._schema).costs_of(ast, {}, switches).operations[""].cost == cost


HISTORIES = """query ($with: Boolean!, $first: Int!) { tasks(first: $first) { nodes {
  title history(first: 100) @include(if: $with) { nodes { version } } } } }"""


async def test_both_executors_agree(api: Api):
    """They get the same operations: the cost is checked before one of them is chosen."""
    user = await api.a_user()
    expected: list[tuple[object, int, list[str]]] = [
        (False, 100, []),
        (True, 100, ["TOO_EXPENSIVE"]),
        (True, 10, []),
        ("no", 100, ["TOO_EXPENSIVE"]),
        ("no", 10, ["BAD_REQUEST"]),
    ]
    for _ in range(2):
        for value, first, codes in expected:
            variables: dict[str, Any] = {"with": value, "first": first}
            assert (await api.ask(HISTORIES, user, **variables)).codes == codes, variables
