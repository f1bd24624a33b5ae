"""A request has the shape that GraphQL over HTTP gives it, or is refused with a clear text."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import BadRequest
from graphql_api.execution.request import OperationRequest, check_text, parse_request

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
KEYS = st.sampled_from(["query", "variables", "operationName", "extensions", "other"])


class TestParseRequest:
    def test_all_parameters_are_read(self) -> None:
        """Null means absent."""
        request = parse_request({"query": "{ a }", "variables": {"b": 1}, "operationName": "C", "extensions": None})
        assert request == OperationRequest("{ a }", "C", {"b": 1}, {})

    @pytest.mark.parametrize(
        ("value", "words"),
        [
            ([{"query": "{ a }"}], "one by one"),
            (None, "JSON object"),
            ("{ a }", "JSON object"),
            ({}, "no query"),
            ({"query": None}, "no query"),
            ({"query": 1}, "`query` must be a string"),
            ({"query": " \n"}, "`query` is empty"),
            ({"query": "{ a }", "variables": []}, "`variables` must be an object"),
            ({"query": "{ a }", "operationName": 1}, "`operationName` must be a string"),
            ({"query": "{ a }", "extensions": "x"}, "`extensions` must be an object"),
        ],
    )
    def test_the_error_names_the_parameter(self, value: object, words: str) -> None:
        """In its message."""
        with pytest.raises(BadRequest) as caught:
            parse_request(value)
        assert words in caught.value.message

    @settings(deadline=None)
    @given(JSON | st.dictionaries(KEYS, JSON))
    def test_any_json_is_a_request_or_a_bad_request(self, value: object) -> None:
        """Nothing but `BadRequest` is raised."""
        with suppress(BadRequest):
            check_text(parse_request(value))


class TestCheckText:
    @pytest.mark.parametrize("bad", ["\x00", "a\x00b", "\ud800", "ä\udfff"])
    def test_invalid_unicode_is_refused_anywhere(self, bad: str) -> None:
        """In values, in lists, and in keys."""
        for variables in ({"a": bad}, {"a": [{"b": bad}]}, {"a": {bad: 1}}, {bad: 1}):
            with pytest.raises(BadRequest):
                check_text(OperationRequest("", None, variables, {}))

    def test_text_in_any_language_passes(self) -> None:
        """Only what cannot be stored is refused."""
        check_text(OperationRequest("", None, {"a": "Überfällig 🏃 日本"}, {}))
