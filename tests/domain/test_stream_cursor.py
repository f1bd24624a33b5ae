"""Stream cursors as text that only the server can make."""

import base64

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.errors import BadRequest
from domain.stream_cursor import StreamCursor, UnknownCursorVersion

CURSORS = st.builds(
    StreamCursor,
    epoch=st.uuids().map(str),
    position=st.integers(0, 10**18 - 1),
    access_version=st.integers(0, 10**9 - 1),
    fingerprint=st.none() | st.integers(0, 2**48 - 1),
)


def encoded(plain: str | bytes) -> str:
    """A text, encoded like a cursor."""
    raw = plain.encode() if isinstance(plain, str) else plain
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


class TestDecode:
    @given(CURSORS)
    def test_a_cursor_survives_encoding(self, cursor: StreamCursor):
        """It has only characters that need no escaping in a URL."""
        text = cursor.encode()

        assert StreamCursor.decode(text) == cursor
        assert text.replace("-", "").replace("_", "").isalnum()

    @given(st.text(st.characters(), max_size=60) | st.binary(max_size=60).map(encoded))
    @example("x" * 100_000)
    @example("\ud800")
    def test_other_text_is_a_bad_request(self, text: str):
        """Text that `encode` did not make raises only `BadRequest`."""
        with pytest.raises(BadRequest, match="omit `after`"):
            StreamCursor.decode(text)

    @pytest.mark.parametrize(
        "plain",
        [
            "s0.e.1.1",
            "s1000.e.1.1",
            "s2",
            "t2.e.1.1",
            "s2.e\n.1",
            "s1.e.1",
            "s1.e.1.1.1",
            "s1.e.-1.1",
            "s1.e.1.-1",
            "s1.e.1_0.1",
            "s1.e. 1.1",
            "s1.e.1.",
            "s1.e.9999999999999999999.1",
            "s1.e.1.9999999999",
            "s1.e.١.1",
            "s1.e.1.²",
            "s2.e.1.1",
            "s2.e.1.1.",
            "s2.e.1.1.-1",
            "s2.e.1.1.1.1",
            "s2.e.1.1.9999999999999999",
        ],
    )
    def test_malformed_cursors_are_refused(self, plain: str):
        """No version, missing or extra parts, and invalid or too large numbers."""
        with pytest.raises(BadRequest, match="omit `after`"):
            StreamCursor.decode(encoded(plain))

    @pytest.mark.parametrize("plain", ["s1.e.7.2", "s2.e.7.2.281474976710655"])
    def test_both_formats_are_read(self, plain: str):
        """They are written as they were read."""
        assert StreamCursor.decode(encoded(plain)).encode() == encoded(plain)

    @pytest.mark.parametrize("plain", ["s3.e.1.1", "s3.", "s3.1.f", "s12.anything~at-all"])
    def test_a_cursor_of_another_version_is_recognized(self, plain: str):
        """`s`, a number from 3 to 999, a point, and any ASCII text."""
        with pytest.raises(UnknownCursorVersion):
            StreamCursor.decode(encoded(plain))
