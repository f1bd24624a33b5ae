"""Which text can be stored, and how its length is counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.text import check_storable, check_text, is_storable, without_control_characters
from tests.support.work import counted

ANY_TEXT = st.text(st.characters(), max_size=30)  # lone surrogates and NUL included


class TestCheckText:
    @pytest.mark.parametrize("length", [2, 3, 5])
    def test_lengths_within_the_limits_pass(self, length: int):
        """Both limits are allowed."""
        assert check_text("x" * length, field="title", at_least=2, at_most=5) == "x" * length

    @pytest.mark.parametrize("length", [0, 1, 6])
    def test_lengths_outside_are_refused_at_their_field(self, length: int):
        """One character too few or too many is refused, and the refusal names the field."""
        with pytest.raises(Invalid) as refusal:
            check_text("x" * length, field="title", at_least=2, at_most=5)

        assert refusal.value.path == ("title",)
        assert refusal.value.message.startswith("title ")

    def test_white_space_around_does_not_count(self):
        """White space at both ends is removed before the length is measured."""
        assert check_text(" \t\u2003ab cd\n ", field="title", at_most=5) == "ab cd"

    def test_only_white_space_is_empty(self):
        """A text of white space is empty."""
        with pytest.raises(Invalid, match="must not be empty"):
            check_text(" \u00a0\n", field="title", at_least=1, at_most=5)

    def test_a_character_beyond_the_basic_plane_counts_once(self):
        """Length is counted in code points, as in PostgreSQL, not in bytes or UTF-16 units."""
        assert check_text("🛶" * 5, field="title", at_most=5) == "🛶" * 5

    @given(ANY_TEXT)
    def test_accepted_text_can_be_stored(self, value: str):
        """It is UTF-8 without NUL; other text is invalid, and raises no other error."""
        try:
            text = check_text(value, field="title", at_least=1, at_most=20)
        except Invalid:
            return
        assert "\x00" not in text
        assert text.encode()
        assert 1 <= len(text) <= 20


class TestCheckStorable:
    @pytest.mark.parametrize("value", ["a\x00b", "\ud800", "\udfff x"])
    def test_nul_and_lone_surrogates_are_refused(self, value: str):
        """PostgreSQL cannot store them."""
        assert not is_storable(value)
        with pytest.raises(Invalid) as refusal:
            check_storable(value, field="description")
        assert refusal.value.path == ("description",)

    @pytest.mark.parametrize("value", ["", "\x01", "\ud7ff\ue000", "👩‍👩‍👧"])
    def test_other_characters_are_accepted(self, value: str):
        """Control characters, neighbours of the surrogates, and joined emoji."""
        check_storable(value, field="description")

    @pytest.mark.parametrize("character", ["x", "é", "🛶"])
    def test_a_long_text_costs_as_much_as_a_short_one(self, character: str):
        """No Python code runs for each character: it would block the event loop, and slow an import."""
        with counted() as short:
            is_storable(character * 10)
        with counted() as long:
            is_storable(character * 10_000)
        assert long.calls == short.calls


class TestWithoutControlCharacters:
    @given(ANY_TEXT)
    def test_the_result_fits_on_one_line_of_a_log(self, value: str):
        """No line break, escape, direction override or surrogate is left."""
        assert not set(without_control_characters(value)) & set("\n\r\x00\x1b\u202e\ud800")
