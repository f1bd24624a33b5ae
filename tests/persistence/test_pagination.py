"""Cursors that clients send back, and some that they made up."""

import base64
import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.errors import BadRequest
from persistence.pagination import DEFAULT_PAGE, MAX_FIRST, PageCursor, PageRequest, Part

STORABLE = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=6,
)


def encoded(plain: str | bytes) -> str:
    """A text, dressed like a cursor."""
    raw = plain.encode(errors="surrogatepass") if isinstance(plain, str) else plain
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


class TestDecode:
    @given(st.builds(PageCursor, order=STORABLE, value=st.none() | STORABLE, id=st.uuids()))
    def test_a_cursor_survives_encoding(self, cursor: PageCursor):
        """In characters that need no escaping in a URL."""
        text = cursor.encode()

        assert PageCursor.decode(text) == cursor
        assert text.replace("-", "").replace("_", "").isalnum()

    @given(
        st.text(st.characters(), max_size=60) | st.binary(max_size=60).map(encoded) | JSON.map(json.dumps).map(encoded)
    )
    @example("x" * 100_000)
    @example(encoded("[" * 700))
    @example(encoded('["CREATED_ASC","x",' + "9" * 600 + "]"))
    @example(encoded('["CREATED_ASC",1e999,"x"]'))
    @example(encoded('["\\ud800",null,"0"]'))
    @example(encoded(b"\xff\xfe[\x00"))
    def test_other_text_is_a_bad_request(self, text: str):
        """Only `BadRequest` is raised."""
        with pytest.raises(BadRequest, match="omit `after` and `before`"):
            PageCursor.decode(text)


class TestInstant:
    @pytest.mark.parametrize(
        "value",
        [
            None,
            "",
            "x",
            "5",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "infinity",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-12:00",
            "99999-01-01T00:00:00Z",
            "-0001-01-01T00:00:00Z",
        ],
    )
    def test_an_invalid_instant_is_a_bad_request(self, value: str | None):
        """No value, other text, a time without an offset, and one that UTC cannot express."""
        with pytest.raises(BadRequest, match="omit `after` and `before`"):
            PageCursor("CREATED_ASC", value, UUID(int=1)).instant()

    @given(st.datetimes(timezones=st.just(UTC)))
    def test_an_instant_is_kept_to_the_microsecond(self, instant: datetime):
        """What was written into a cursor is what is read from it."""
        assert PageCursor("CREATED_ASC", instant.isoformat(), UUID(int=1)).instant() == instant


class TestPageRequest:
    @pytest.mark.parametrize("size", [1, MAX_FIRST])
    def test_1_to_100_rows_can_be_asked_for(self, size: int):
        """Both limits are allowed, from both ends."""
        assert PageRequest.of(size, order="CREATED_ASC") == PageRequest(size)
        assert PageRequest.of(last=size, order="CREATED_ASC") == PageRequest(size, backward=True)

    def test_the_default_is_the_first_20(self):
        """Also before a cursor."""
        cursor = PageCursor("CREATED_DESC", None, UUID(int=1))

        assert PageRequest.of(order="CREATED_ASC") == PageRequest(DEFAULT_PAGE)
        before = PageRequest.of(before=cursor.encode(), order="CREATED_DESC")
        assert before == PageRequest(DEFAULT_PAGE, before=cursor)

    @pytest.mark.parametrize("size", [0, -1, MAX_FIRST + 1, 2**70])
    def test_other_sizes_are_a_bad_request(self, size: int):
        """The message names the argument and its limits."""
        with pytest.raises(BadRequest, match="first must be 1 to 100"):
            PageRequest.of(size, order="CREATED_ASC")
        with pytest.raises(BadRequest, match="last must be 1 to 100"):
            PageRequest.of(last=size, order="CREATED_ASC")

    def test_both_directions_at_once_are_a_bad_request(self):
        """`first` and `last` together are ambiguous."""
        with pytest.raises(BadRequest, match="Give first or last, not both"):
            PageRequest.of(5, None, 5, None, order="CREATED_ASC")

    def test_a_cursor_of_another_ordering_is_a_bad_request(self):
        """A cursor counts in its own ordering only, at either end."""
        cursor = PageCursor("CREATED_DESC", None, UUID(int=1))
        text = cursor.encode()

        assert PageRequest.of(5, text, order="CREATED_DESC") == PageRequest(5, cursor)
        assert PageRequest.of(None, None, 5, text, order="CREATED_DESC") == PageRequest(5, None, cursor, True)
        for after, before in ((text, None), (None, text)):
            with pytest.raises(BadRequest, match="another ordering"):
                PageRequest.of(5, after, None, before, order="CREATED_ASC")

    def test_only_selected_parts_are_read(self):
        """The start of a list has no previous page; a count is read only if it is selected."""
        cursor = PageCursor("CREATED_DESC", None, UUID(int=1))

        assert PageRequest(5).facts == ()
        assert PageRequest(5, cursor).facts == ("earlier",)
        assert PageRequest(5, None, cursor).facts == ("later",)
        assert PageRequest(5, cursor, cursor, parts=frozenset({Part.ROWS})).facts == ()
        assert PageRequest(5, parts=frozenset({Part.TOTAL, Part.HEAD})).facts == (
            "total",
            "head_epoch",
            "head_position",
            "head_fingerprint",
        )
        assert (PageRequest(5).limit, PageRequest(5, parts=frozenset({Part.TOTAL})).limit) == (6, 0)
