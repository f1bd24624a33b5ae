"""Where a listener stands, as text that only we can have made."""

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
)


def encoded(plain: str | bytes) -> str:
    """A text, dressed like a cursor."""
    raw = plain.encode() if isinstance(plain, str) else plain
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


class TestDecode:
    @given(CURSORS)
    def test_what_was_encoded_comes_back(self, cursor: StreamCursor):
        """A cursor survives the journey, in characters that need no escaping in a URL."""
        text = cursor.encode()

        assert StreamCursor.decode(text) == cursor
        assert text.replace("-", "").replace("_", "").isalnum()

    @given(st.text(st.characters(), max_size=60) | st.binary(max_size=60).map(encoded))
    @example("x" * 100_000)
    @example("\ud800")
    def test_garbage_is_a_bad_request(self, text: str):
        """Whatever was not made by `encode` is answered with `BadRequest` and nothing else."""
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
        ],
    )
    def test_almost_right_is_wrong(self, plain: str):
        """No version, missing or extra parts, and numbers that are none or too large."""
        with pytest.raises(BadRequest, match="omit `after`"):
            StreamCursor.decode(encoded(plain))

    @pytest.mark.parametrize("plain", ["s2.e.1.1", "s2.", "s2.1.f", "s12.anything~at-all"])
    def test_another_version_is_known_as_such(self, plain: str):
        """`s`, a number from 2 to 999, a point, and whatever follows in ASCII: a cursor that others can read."""
        with pytest.raises(UnknownCursorVersion):
            StreamCursor.decode(encoded(plain))
