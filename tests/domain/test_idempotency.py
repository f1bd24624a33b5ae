"""Keys, what they name, and what counts as the same request."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from domain.errors import BadRequest, IdempotencyMismatch
from domain.idempotency import IdempotencyKey, check_key, check_same_request, fingerprint
from domain.task import TaskPriority

ACTOR = uuid4()


class TestKey:
    @pytest.mark.parametrize("text", ["k", "!", "~", "x" * 255, "5c2e2f3a-1c0d-4f6e-9a53-0f5c3a1b7d42", '"8e03978e"'])
    def test_visible_ascii_is_a_key(self, text: str):
        """1 to 255 visible ASCII characters are a key, as they are."""
        assert check_key(text) == text

    @pytest.mark.parametrize("text", ["", "x" * 256, "a b", " ", "\t", "\x00", "\x7f", "ä", "💥", "a\n"])
    def test_anything_else_is_none(self, text: str):
        """Nothing, too much, white space, control characters and other alphabets are malformed."""
        with pytest.raises(BadRequest):
            check_key(text)

    def test_everything_counts_in_its_scope(self):
        """Actor, key and place make a write; run together differently they make another one."""
        scopes = [
            IdempotencyKey(text, place).scope(actor)
            for actor in (ACTOR, uuid4())
            for text, place in (("ab", "c"), ("a", "bc"), ("abc", ""), ("", "abc"))
        ]
        assert len(set(scopes)) == 8
        assert {len(scope) for scope in scopes} == {32}
        assert IdempotencyKey("ab", "c").scope(ACTOR) == scopes[0]


class TestFingerprint:
    def test_equal_requests_are_equal(self):
        """Neither the order of the fields nor that of a set counts."""
        one = fingerprint("do", {"a": 1, "b": frozenset({3, 1, 2})})
        assert one == fingerprint("do", {"b": frozenset({2, 3, 1}), "a": 1})

    def test_every_difference_counts(self):
        """Another operation, field, value or type of value makes another request."""
        now = datetime.now(UTC)
        values: list[dict[str, object]] = [{"a": value} for value in (None, "None", 1, "1", True, now, ACTOR, uuid4())]
        requests: list[dict[str, object]] = [*values, {}, {"b": None}, {"a": TaskPriority.HIGH}, {"a": 1, "b": 1}]
        prints = [fingerprint(what, request) for what in ("do", "undo") for request in requests]
        assert len(set(prints)) == len(prints)

    def test_a_key_names_one_request(self):
        """The same request may come again, another one may not."""
        check_same_request(fingerprint("do", {}), fingerprint("do", {}))
        with pytest.raises(IdempotencyMismatch):
            check_same_request(fingerprint("do", {}), fingerprint("do", {"a": 1}))
