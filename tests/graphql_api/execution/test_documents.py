"""Documents are read once, and garbage does not push out what is good."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLError, validate

from domain.errors import BadRequest, TooExpensive, Unavailable
from graphql_api.execution.documents import MAX_AT_ONCE, MAX_WAITING, Documents, InvalidDocument
from graphql_api.execution.limits import Limits
from tests.streaming.support import until
from tests.support.echo_app import schema
from tests.support.waiting import HANG_SECONDS


class TestGet:
    def test_the_same_text_is_the_same_document(self) -> None:
        """A text is parsed and validated once."""
        documents = Documents(schema)
        assert documents.get("{ item { name } }") is documents.get("{ item { name } }")

    def test_nothing_is_validated_twice(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Invalid documents are cached, too."""
        calls = []

        def counted(*args: Any) -> list[GraphQLError]:
            calls.append(args)
            return validate(*args)

        monkeypatch.setattr("graphql_api.execution.documents.validate", counted)
        documents = Documents(schema)
        for _ in range(5):
            documents.get("{ item { name } }")
            with pytest.raises(InvalidDocument):
                documents.get("{ nothing }")

        assert len(calls) == 2

    def test_invalid_documents_do_not_evict_valid_ones(self) -> None:
        """After thousands of invalid texts every valid one is still cached."""
        documents = Documents(schema)
        good = documents.get("{ item { name } }")
        for number in range(2_000):
            with pytest.raises(InvalidDocument):
                documents.get(f"{{ nothing{number}")

        assert documents.get("{ item { name } }") is good

    def test_the_cache_is_bounded(self) -> None:
        """Old documents are removed."""
        documents = Documents(schema, max_count=10)
        first = documents.get("{ item { name } }")
        for number in range(10):
            documents.get(f"query Q{number} {{ item {{ name }} }}")

        assert documents.get("{ item { name } }") is not first

    @pytest.mark.parametrize(
        "text", ["", "   ", "{", "nonsense", "type A { b: Int }", "{ item }", "{ item { name } } }"]
    )
    def test_an_invalid_document_has_errors(self, text: str) -> None:
        """Of the syntax or of the validation."""
        with pytest.raises(InvalidDocument) as caught:
            Documents(schema).get(text)
        assert caught.value.errors

    def test_a_fragment_that_spreads_itself_is_located(self) -> None:
        """Like every error of validation."""
        with pytest.raises(InvalidDocument) as caught:
            Documents(schema).get("{ ...A }\nfragment A on Query { ...B }\nfragment B on Query { ...A }")
        (error,) = caught.value.errors
        assert isinstance(error, GraphQLError)
        assert error.message.startswith("Fragment ")
        assert [each.line > 1 for each in error.locations or ()] == [True]

    @pytest.mark.parametrize("text", [r'{ echo(text: "a\u0000b") }', r'{ echo(text: "a\u{0}b") }'])
    def test_an_escaped_nul_is_refused(self, text: str) -> None:
        """The lexer knows no better; the database does."""
        with pytest.raises(InvalidDocument) as caught:
            Documents(schema).get(text)
        (error,) = caught.value.errors
        assert isinstance(error, GraphQLError)
        assert error.locations

    def test_other_escapes_are_accepted(self) -> None:
        """They are text."""
        Documents(schema).get(r'{ echo(text: "a\u00e4\u{1F3C3}b") }')


LONG = "{ item { name } }" + " " * MAX_AT_ONCE


class Held:
    """Holds up the validation until `go` is set, and counts it."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.threads: list[str] = []

    def validate(self, *args: Any) -> list[GraphQLError]:
        """What `graphql.validate` does, later."""
        self.threads.append(threading.current_thread().name)
        assert self.go.wait(HANG_SECONDS)
        return validate(*args)


def a_known_text(documents: Documents, held: Held) -> str:
    """The text of a long document that is known already."""
    held.go.set()
    text = documents.get(f"{LONG} # known").text
    held.go.clear()
    return text


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    """The validation of all documents."""
    held = Held()
    monkeypatch.setattr("graphql_api.execution.documents.validate", held.validate)
    yield held
    held.go.set()


class TestGetAsync:
    async def test_the_event_loop_continues(self, held: Held):
        """While a thread examines a long document."""
        reading = asyncio.create_task(Documents(schema).get_async(LONG))
        await until(lambda: bool(held.threads))
        assert not reading.done()
        held.go.set()
        assert (await reading).text == LONG
        assert held.threads[0].startswith("documents")

    async def test_a_short_document_needs_no_thread(self, held: Held):
        """That would take longer."""
        held.go.set()
        assert (await Documents(schema).get_async("{ item { name } }")).operations
        assert held.threads == [threading.current_thread().name]

    async def test_a_document_is_examined_once(self, held: Held):
        """Although many clients send it at the same time. It counts as new only once."""
        documents = Documents(schema)
        reading = [asyncio.create_task(documents.get_async(LONG)) for _ in range(20)]
        await until(lambda: bool(held.threads))
        held.go.set()
        found = await asyncio.gather(*reading)

        assert {id(each) for each in found} == {id(documents.get(LONG))}
        assert len(held.threads) == 1
        assert (documents.read, documents.found, documents.refused) == (1, 20, 0)

    async def test_a_cancelled_request_cancels_no_other(self, held: Held):
        """The document is kept, too."""
        documents = Documents(schema)
        first, second = [asyncio.create_task(documents.get_async(LONG)) for _ in range(2)]
        await until(lambda: bool(held.threads))
        first.cancel()
        held.go.set()

        assert (await second).text == LONG
        assert first.cancelled()
        assert documents.knows(LONG)

    @pytest.mark.parametrize("text", ["{ nothing }", "{", "{ item { name } " * 40])
    async def test_an_invalid_document(self, text: str):
        """The errors are those of `get`, and are kept."""
        long = text + " " * MAX_AT_ONCE
        documents = Documents(schema)
        found = []
        for _ in range(2):
            with pytest.raises(InvalidDocument) as caught:
                await documents.get_async(long)
            found.append(caught.value.errors)
        with pytest.raises(InvalidDocument) as expected:
            Documents(schema).get(long)

        assert found[0] is found[1]
        assert [str(each) for each in found[0]] == [str(each) for each in expected.value.errors]
        assert documents.refused == 2

    async def test_a_document_beyond_a_limit(self):
        """It is refused as by `get`."""
        with pytest.raises(InvalidDocument) as caught:
            await Documents(schema).get_async("x" * (Limits().max_characters + 1))
        assert isinstance(caught.value.errors[0], TooExpensive)

    async def test_a_flood_of_documents_is_refused(self, held: Held):
        """Documents that wait are examined nevertheless, and known ones are found."""
        documents = Documents(schema)
        known = a_known_text(documents, held)
        waiting = [asyncio.create_task(documents.get_async(f"{LONG} # {number}")) for number in range(MAX_WAITING)]
        await until(lambda: len(documents._examining) == MAX_WAITING)
        with pytest.raises(Unavailable):
            await documents.get_async(f"{LONG} # another")
        assert (await documents.get_async(known)).text == known

        held.go.set()
        assert len({document.text for document in await asyncio.gather(*waiting)}) == MAX_WAITING
        assert (await documents.get_async(f"{LONG} # another")).operations

    async def test_the_thread_rests_as_long_as_it_has_worked(self, monkeypatch: pytest.MonkeyPatch):
        """So a flood of documents leaves half of the time to the event loop."""
        now, rests = 100.0, []

        def rest(seconds: float) -> None:
            nonlocal now
            rests.append(seconds)
            now += seconds

        def work(*args: Any) -> list[GraphQLError]:
            nonlocal now
            now += 3
            return validate(*args)

        monkeypatch.setattr("graphql_api.execution.documents.monotonic", lambda: now)
        monkeypatch.setattr("graphql_api.execution.documents.sleep", rest)
        monkeypatch.setattr("graphql_api.execution.documents.validate", work)
        documents = Documents(schema)
        await documents.get_async(f"{LONG} # 1")
        now += 1
        await documents.get_async(f"{LONG} # 2")
        now += 60
        await documents.get_async(f"{LONG} # 3")
        assert rests == [0, 2, 0]

    async def test_a_text_that_is_too_long_takes_no_place(self, held: Held):
        """It is refused by its length, also while other documents wait."""
        documents = Documents(schema)
        waiting = [asyncio.create_task(documents.get_async(f"{LONG} # {number}")) for number in range(MAX_WAITING)]
        await until(lambda: len(documents._examining) == MAX_WAITING)
        with pytest.raises(InvalidDocument):
            await documents.get_async("x" * (Limits().max_characters + 1))
        held.go.set()
        await asyncio.gather(*waiting)

    async def test_documents_that_wait_are_forgotten_at_the_end(self, held: Held):
        """The thread ends after the one that it examines."""
        documents = Documents(schema)
        waiting = [asyncio.create_task(documents.get_async(f"{LONG} # {number}")) for number in range(3)]
        await until(lambda: bool(held.threads))
        documents.close()
        held.go.set()
        first, *others = await asyncio.gather(*waiting, return_exceptions=True)
        assert not isinstance(first, BaseException)
        assert all(isinstance(each, asyncio.CancelledError) for each in others)
        assert len(held.threads) == 1

    async def test_a_bug_is_not_kept(self, monkeypatch: pytest.MonkeyPatch):
        """The next request examines the document again."""
        documents = Documents(schema)
        with monkeypatch.context() as patched:
            patched.setattr("graphql_api.execution.documents.validate", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                await documents.get_async(LONG)
        assert (await documents.get_async(LONG)).text == LONG


class TestMessages:
    def test_suggestions_can_be_disabled(self) -> None:
        """Error messages then contain no names of the schema."""
        messages = []
        for suggestions in (True, False):
            with pytest.raises(InvalidDocument) as caught:
                Documents(schema, suggestions=suggestions).get("{ itam { name } }")
            messages.append(getattr(caught.value.errors[0], "message", ""))

        assert "Did you mean" in messages[0]
        assert "item" not in messages[1]

    def test_introspection_can_be_disabled(self) -> None:
        """__typename still works."""
        documents = Documents(schema, introspection=False)
        documents.get("{ __typename }")
        with pytest.raises(InvalidDocument):
            documents.get("{ __schema { types { name } } }")


class TestOperation:
    TEXT = "query A { item { name } } mutation B { cookie }"

    def test_an_operation_is_found_by_name(self) -> None:
        """Each operation of a document can be run."""
        document = Documents(schema).get(self.TEXT)
        assert document.operation("B").operation.value == "mutation"

    @pytest.mark.parametrize("name", [None, "C"])
    def test_the_operation_must_be_unique(self, name: str | None) -> None:
        """Without a matching name nothing runs."""
        with pytest.raises(BadRequest):
            Documents(schema).get(self.TEXT).operation(name)
