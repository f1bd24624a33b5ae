"""Documents are read once, and garbage does not push out what is good."""

from typing import Any

import pytest
from graphql import GraphQLError, validate

from domain.errors import BadRequest
from graphql_api.execution.documents import Documents, InvalidDocument
from tests.support.echo_app import schema


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
