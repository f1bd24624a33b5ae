"""Idempotency keys, their scope, and equal requests."""

import base64
import hashlib
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from domain.errors import BadRequest, IdempotencyMismatch
from domain.idempotency import IdempotencyKey, check_key, check_same_request, fingerprint
from domain.task import TaskPriority
from graphql_api.schema.ids import encode_id

ACTOR = uuid4()


class TestKey:
    @pytest.mark.parametrize("text", ["k", "!", "~", "x" * 255, "5c2e2f3a-1c0d-4f6e-9a53-0f5c3a1b7d42", '"8e03978e"'])
    def test_visible_ascii_is_a_key(self, text: str):
        """1 to 255 visible ASCII characters are a key, unchanged."""
        assert check_key(text) == text

    @pytest.mark.parametrize("text", ["", "x" * 256, "a b", " ", "\t", "\x00", "\x7f", "ä", "💥", "a\n"])
    def test_anything_else_is_malformed(self, text: str):
        """Empty or too long keys, white space, control characters and other alphabets."""
        with pytest.raises(BadRequest):
            check_key(text)

    def test_actor_key_and_place_make_the_scope(self):
        """Other splits of the same text give other scopes."""
        scopes = [
            IdempotencyKey(text, place).scope(actor)
            for actor in (ACTOR, uuid4())
            for text, place in (("ab", "c"), ("a", "bc"), ("abc", ""), ("", "abc"))
        ]
        assert len(set(scopes)) == 8
        assert {len(scope) for scope in scopes} == {32}
        assert IdempotencyKey("ab", "c").scope(ACTOR) == scopes[0]

    def test_the_public_id_is_the_documented_one(self):
        """Clients calculate it: a change of it is a change of the API."""
        user_id = UUID("0198f000-0000-7000-8000-00000000000a")
        key = IdempotencyKey("5c2e2f3a-1c0d-4f6e-9a53-0f5c3a1b7d42", "updateTask")

        assert key.mutation_id(user_id) == "hhbG8WdOWngwlXWw1KEO0e"

    def test_the_public_id_depends_on_user_key_and_place(self):
        """The id of the user is that of GraphQL. The key is not in it."""
        ids = {
            IdempotencyKey(text, place).mutation_id(actor)
            for actor in (ACTOR, uuid4())
            for text, place in (("ab", "c"), ("a", "bc"), ("abc", ""))
        }
        text = f"{encode_id('User', ACTOR)}\nab\nc".encode()

        assert len(ids) == 6
        assert (
            IdempotencyKey("ab", "c").mutation_id(ACTOR)
            == (base64.urlsafe_b64encode(hashlib.sha256(text).digest()).decode()[:22])
        )


class TestFingerprint:
    def test_equal_requests_have_equal_fingerprints(self):
        """The order of fields and of a set does not count."""
        one = fingerprint("do", {"a": 1, "b": frozenset({3, 1, 2})})
        assert one == fingerprint("do", {"b": frozenset({2, 3, 1}), "a": 1})

    def test_every_difference_changes_the_fingerprint(self):
        """Another operation, field, value or type of value."""
        now = datetime.now(UTC)
        values: list[dict[str, object]] = [{"a": value} for value in (None, "None", 1, "1", True, now, ACTOR, uuid4())]
        requests: list[dict[str, object]] = [*values, {}, {"b": None}, {"a": TaskPriority.HIGH}, {"a": 1, "b": 1}]
        prints = [fingerprint(what, request) for what in ("do", "undo") for request in requests]
        assert len(set(prints)) == len(prints)

    def test_a_key_names_one_request(self):
        """The same request may be repeated; another one is refused."""
        check_same_request(fingerprint("do", {}), fingerprint("do", {}))
        with pytest.raises(IdempotencyMismatch):
            check_same_request(fingerprint("do", {}), fingerprint("do", {"a": 1}))
