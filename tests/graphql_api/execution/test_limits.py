"""Hostile documents are refused, soon, and honest ones are not."""

import pytest
from graphql import get_introspection_query, parse

from domain.errors import DomainError, TooExpensive
from graphql_api.execution.document import Document
from graphql_api.execution.documents import Documents, InvalidDocument
from graphql_api.execution.limits import Limits
from graphql_api.execution.query_cost import CostCalculator
from graphql_api.root import schema as api
from server.app import Server
from tests.support.api_server import settings_of
from tests.support.echo_app import schema
from tests.support.work import counted

MOST_CALLS = 500_000
"""Far above what any of these takes, and far below what an unbounded rule would need."""


def _documents() -> Documents:
    return Documents(schema)


def _documents_with(settings: dict[str, object]) -> Documents:
    return Server(settings_of("postgresql://127.0.0.1:1/x", "redis://127.0.0.1:1/0", **settings)).documents


def _refusal(text: str, documents: Documents | None = None) -> Exception:
    with pytest.raises(InvalidDocument) as caught:
        (documents or _documents()).get(text)
    return caught.value.errors[0]


def _fragments(count: int, body: str) -> str:
    chain = "".join(f"fragment F{i} on Item {{ {body.replace('NEXT', f'...F{i + 1}')} }} " for i in range(count))
    return f"{{ item {{ ...F0 }} }} {chain} fragment F{count} on Item {{ name }}"


HOSTILE = {
    "long": ("{ item { name } } #" + "x" * 262_144, "characters"),
    "many tokens": ("{ item { name } }" + "," * 30_000 + "#\n" * 3_000, "tokens"),
    "deep": ("{ item" + " { parent" * 12 + " { name }" + " }" * 13, "levels of nesting"),
    "deep by fragments": (_fragments(13, "parent { NEXT }"), "levels of nesting"),
    "deeper than the parser goes": ("{ item" * 300, "nested too deeply"),
    "deep by what is excluded": (
        "{ item" + " { parent @skip(if: true)" * 12 + " { name }" + " }" * 13,
        "levels of nesting",
    ),
    "deep value": ("{ echo(text: " + "[" * 300, "nested too deeply"),
    "many fields": ("{ item { " + " ".join(f"f{i}" for i in range(1_001)) + " } }", "fields"),
    "one name over and over": ("{ item { " + "name " * 900 + "} }", "same response name"),
    "names that repeat in names": (
        "{ item { " + ("parent { " + ("parent { " + "name " * 9 + "} ") * 9 + "} ") * 9 + "} }",
        "same response name",
    ),
    "aliases": ("{ " + " ".join(f"a{i}: item {{ name }}" for i in range(31)) + " }", "aliases"),
    "directives": ("{ item { " + "... @skip(if: true) { name } " * 101 + "} }", "directives"),
    "operations": (" ".join(f"query Q{i} {{ item {{ name }} }}" for i in range(21)), "operations"),
    "fragments": (_fragments(61, "NEXT"), "fragments"),
    "variables": (f"query({' '.join(f'$v{i}: Int' for i in range(101))}) {{ item {{ name }} }}", "variables"),
    "fragments that double": (_fragments(50, "NEXT NEXT"), "could resolve"),
    "pages of pages": ("{ items(first: 100) { children(first: 100) { name } } }", "could resolve"),
    "default pages of pages": ("{ items { children { children { name } } } }", "could resolve"),
    "endless number": ("{ items(first: 999999999999999999) { children(first: 60) { name } } }", "could resolve"),
    "introspection over and over": (
        "{"
        + " ".join(
            f"a{i}: __schema {{ types {{ fields {{ args {{ name description type {{ name kind }} }} }} }} }}"
            for i in range(29)
        )
        + "}",
        "`__schema` only once",
    ),
    "a circle": ("{ item { ...A } } fragment A on Item { ...B } fragment B on Item { ...A }", "spreads itself"),
    "introspection in circles": (
        "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
        "introspection depth",
    ),
}


class TestHostileDocuments:
    @pytest.mark.parametrize(("text", "reason"), HOSTILE.values(), ids=HOSTILE.keys())
    def test_a_document_beyond_a_limit_is_refused(self, text: str, reason: str) -> None:
        """By that limit, with little work."""
        documents = _documents()
        with counted() as work:
            error = _refusal(text, documents)
        assert work.calls < MOST_CALLS
        assert reason in getattr(error, "message", "")

    @pytest.mark.parametrize("links", [20, 40, 58])
    def test_a_chain_that_doubles_takes_linear_time(self, links: int) -> None:
        """Twice the links are not twice the work to the power of links."""
        documents = _documents()
        with counted() as work:
            _refusal(_fragments(links, "NEXT parent { NEXT }"), documents)
        assert work.calls < MOST_CALLS

    def test_limits_raise_only_domain_errors(self) -> None:
        """With the code of the limit."""
        error = _refusal(HOSTILE["deep"][0])
        assert isinstance(error, DomainError)
        assert getattr(error, "code", None) == "TOO_EXPENSIVE"


class TestHonestDocuments:
    def test_the_standard_introspection_query_passes(self) -> None:
        """With all optional parts."""
        query = get_introspection_query(
            specified_by_url=True, directive_is_repeatable=True, schema_description=True, input_value_deprecation=True
        )
        _documents().get(query)

    def test_a_page_of_pages_within_the_budget_passes(self) -> None:
        """What counts is how many fields could be resolved."""
        _documents().get("{ items(first: 50) { name children(first: 20) { name parent { name } } } }")

    def test_ids_count_by_their_number(self) -> None:
        """Three ids are three items, whatever the page size."""
        documents = Documents(schema, Limits(max_cost=7))
        documents.get('{ nodes(ids: ["a", "b", "c"]) { name } }')
        _refusal('{ nodes(ids: ["a", "b", "c"]) { name parent { name } } }', documents)


class TestConnections:
    """What pages of the API weigh: here a page's rows, each with a page of its history, are so many fields."""

    def _cost(self, arguments: str, variables: dict[str, int] | None = None) -> int:
        text = f"query($first: Int, $last: Int) {{ tasks{arguments} {{ nodes {{ history{arguments} {{ nodes }} }} }} }}"
        sizes = {"first": 0, "last": 0} | (variables or {})
        return CostCalculator(api._schema).costs_of(parse(text), sizes).operations[""].cost

    @pytest.mark.parametrize("size", [1, 7, 100])
    def test_the_last_rows_count_like_the_first(self, size: int) -> None:
        """As a number and as a variable."""
        assert self._cost(f"(last: {size})") == self._cost(f"(first: {size})") == (1 + size) ** 2
        both = "(first: $first, last: $last)"
        assert self._cost(both, {"last": size}) == self._cost(both, {"first": size}) == (1 + size) ** 2

    @pytest.mark.parametrize("arguments", ["", "(first: null)", "(last: null)", "(first: $first, last: $last)"])
    def test_null_counts_as_the_default_page_size(self, arguments: str) -> None:
        """Like an absent argument."""
        assert self._cost(arguments) == self._cost("(first: 20)")

    def test_a_null_beside_a_size_counts_for_nothing(self) -> None:
        """Clients that page in both directions send both arguments."""
        assert self._cost("(first: null, last: 3)") == self._cost("(last: 3)")

    def test_a_large_page_by_variable_is_refused(self) -> None:
        """Large pages of large pages are too expensive, whichever end they come from."""
        documents = Documents(api)
        text = "query($n: Int) { tasks(last: $n) { nodes { history(last: $n) { nodes { version } } } } }"
        document = documents.get(text)
        documents.check_cost(document, document.operation(None), {"n": 40})
        with pytest.raises(TooExpensive, match="`first` or `last`"):
            documents.check_cost(document, document.operation(None), {"n": 100})


class TestVariables:
    TEXT = "query($n: Int!) { items(first: $n) { children(first: $n) { name } } }"

    def _check(self, **variables: object) -> None:
        documents = _documents()
        document: Document = documents.get(self.TEXT)
        documents.check_cost(document, document.operation(None), variables)

    @pytest.mark.parametrize("n", [1, 20, 45])
    def test_a_small_page_passes(self, n: int) -> None:
        """The same document is fine with small pages."""
        self._check(n=n)

    @pytest.mark.parametrize("n", [100, 10**9, "many", True])
    def test_a_large_page_is_refused(self, n: object) -> None:
        """And is not with large ones; what is no number counts as the largest."""
        with pytest.raises(DomainError):
            self._check(n=n)

    @pytest.mark.parametrize("given", [{}, {"n": None}])
    def test_a_missing_value_counts_as_the_default_page(self, given: dict[str, object]) -> None:
        """Without a value a page has the default size: 1 + 20 + 20 * 20 fields."""
        for limit in (420, 421):
            documents = Documents(schema, Limits(max_cost=limit))
            document = documents.get(self.TEXT)
            if limit == 421:
                documents.check_cost(document, document.operation(None), given)
            else:
                with pytest.raises(TooExpensive, match="could resolve 421"):
                    documents.check_cost(document, document.operation(None), given)

    def test_a_default_counts_when_nothing_is_given(self) -> None:
        """The operation's own default sizes the page."""
        documents = _documents()
        document = documents.get(self.TEXT.replace("$n: Int!", "$n: Int! = 5"))
        documents.check_cost(document, document.operation(None), {})
        with pytest.raises(DomainError):
            documents.check_cost(document, document.operation(None), {"n": 100})

    def test_each_size_is_checked(self) -> None:
        """A cached result is not used for other sizes."""
        documents = _documents()
        document = documents.get(self.TEXT)
        for _ in range(3):
            for n in range(1, 101):
                refused = 1 + n + n * n > Limits().max_cost
                try:
                    documents.check_cost(document, document.operation(None), {"n": n})
                except DomainError:
                    assert refused
                else:
                    assert not refused


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("query_max_depth", "{ tasks { nodes { history { nodes { version } } } } }"),
        ("query_max_tokens", "{ __typename __typename __typename __typename }"),
        ("query_max_aliases", "{ a: __typename b: __typename c: __typename d: __typename }"),
        ("query_max_fields", "{ __typename __typename __typename __typename }"),
        ("query_max_cost", "{ tasks { nodes { version } } }"),
    ],
)
def test_settings_change_the_limits(setting: str, text: str) -> None:
    """Each of these documents is within the defaults, and beyond a setting of 3."""
    _documents_with({}).get(text)
    _refusal(text, _documents_with({setting: 3}))
