"""Refresh tokens, and the lifetime of a session."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.session import ABSOLUTE_LIFETIME, IDLE_LIFETIME, child_token, expires_at, new_refresh_token, token_hash

CREATED = datetime(2026, 1, 1, tzinfo=UTC)


class TestTokens:
    def test_new_tokens_are_random(self):
        """They are long, and valid as a cookie."""
        tokens = {new_refresh_token() for _ in range(100)}

        assert len(tokens) == 100
        assert all(len(token) >= 43 and token.isascii() for token in tokens)

    def test_a_successor_depends_on_its_parent_and_the_key_only(self):
        """The same parent and key give the same token; others give another one."""
        assert child_token("parent", b"key") == child_token("parent", b"key")
        assert len({child_token(parent, key) for parent in ("a", "b") for key in (b"1", b"2")}) == 4

    @given(st.text(st.characters(), max_size=30))
    def test_any_text_has_a_hash_and_a_successor(self, token: str):
        """Tokens come from clients: lone surrogates, too, must not raise."""
        assert len(token_hash(token)) == 32
        assert child_token(token, b"key").isascii()


class TestExpiresAt:
    @pytest.mark.parametrize(
        ("used", "ends"),
        [
            (timedelta(0), IDLE_LIFETIME),
            (timedelta(days=1), timedelta(days=8)),
            (timedelta(days=23), ABSOLUTE_LIFETIME),
            (timedelta(days=29), ABSOLUTE_LIFETIME),
        ],
    )
    def test_a_session_lasts_seven_days_after_its_use_and_at_most_thirty(self, used: timedelta, ends: timedelta):
        """Each use moves the end, but never beyond the thirtieth day."""
        assert expires_at(CREATED + used, CREATED) == CREATED + ends
