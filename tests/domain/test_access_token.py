"""The form, the scopes and the lifetime of personal access tokens."""

import re
import zlib
from datetime import UTC, datetime, timedelta
from itertools import chain, combinations

import pytest

from domain.access_token import (
    MAX_TOKENS,
    NO_TOKEN,
    Scope,
    check_count,
    check_expiry,
    check_name,
    check_scopes,
    effective,
    is_intact,
    is_token,
    missing_scope,
    new_token,
    role_with,
    token_hash,
)
from domain.errors import Invalid
from domain.user import Role

NOW = datetime(2026, 12, 1, tzinfo=UTC)
YEAR = timedelta(days=366)


class TestForm:
    def test_a_new_token(self):
        """A prefix, 30 characters, and 6 of their checksum; no two are the same."""
        tokens = {new_token() for _ in range(1_000)}
        assert len(tokens) == 1_000
        for token in tokens:
            assert re.fullmatch(r"trv_pat_[0-9A-Za-z]{36}", token)
            assert is_token(token)
            assert is_intact(token)
            assert len(token_hash(token)) == 32

    def test_the_checksum_is_crc_32_in_base_62(self):
        """Scanners of secrets compute it in the same way."""
        token = "trv_pat_" + "A" * 30
        number, digits = zlib.crc32(b"A" * 30), ""
        alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
        for _ in range(6):
            number, digit = divmod(number, 62)
            digits = alphabet[digit] + digits
        assert number == 0
        assert is_intact(token + digits)

    def test_each_changed_character_is_noticed(self):
        """A token that was copied wrongly is not looked up."""
        token = new_token()
        for place in range(len("trv_pat_"), len(token)):
            other = "x" if token[place] != "x" else "y"
            assert not is_intact(token[:place] + other + token[place + 1 :])

    def test_other_texts_are_not_intact(self):
        """Whatever the length and the characters."""
        token = new_token()
        for text in ("", "trv_pat_", "trv_pat_" + "x" * 36, "trv_pat_" + "ü" * 36, "eyJ.x.y", f" {token}", f"{token}x"):
            assert not is_intact(text)


class TestScopes:
    def test_what_each_scope_includes(self):
        """Who changes something has to read it; nothing includes the account or the rights of admins."""
        assert {scope: effective([scope.value]) - {scope} for scope in Scope} == {
            Scope.TASKS_READ: set(),
            Scope.TASKS_WRITE: {Scope.TASKS_READ},
            Scope.PROJECTS_MANAGE: {Scope.TASKS_READ},
            Scope.ACCOUNT: set(),
            Scope.ADMIN: set(),
        }

    def test_more_scopes_never_permit_less(self):
        """And none but the given and the included ones are there."""
        given = list(Scope)
        for some in chain.from_iterable(combinations(given, size) for size in range(len(given) + 1)):
            assert effective(some) == frozenset().union(*(effective([scope]) for scope in some))

    def test_scopes_of_a_newer_version_permit_nothing(self):
        """They are ignored."""
        assert effective(["everything", "tasks:read"]) == {Scope.TASKS_READ}

    @pytest.mark.parametrize("role", Role)
    def test_only_the_scope_admin_keeps_the_role(self, role: Role):
        """Without it, the token of an admin reads no tasks of others."""
        assert role_with(role, frozenset(Scope)) is role
        assert role_with(role, frozenset(Scope) - {Scope.ADMIN}) is Role.USER

    def test_the_messages(self):
        """They name the scope, or say why no scope helps."""
        assert "the scope tasks:write:" in missing_scope(frozenset({Scope.TASKS_WRITE}))
        assert "the scope tasks:read or account:" in missing_scope(frozenset({Scope.ACCOUNT, Scope.TASKS_READ}))
        assert "cannot do this: sign in." in missing_scope(NO_TOKEN)


class TestChecks:
    def test_scopes_of_a_new_token(self):
        """Each once, in one order; the scope `admin` needs a role that it adds something to."""
        assert check_scopes([Scope.ACCOUNT, Scope.TASKS_READ, Scope.ACCOUNT], Role.USER) == (
            [Scope.TASKS_READ, Scope.ACCOUNT]
        )
        for role in (Role.MODERATOR, Role.ADMIN):
            assert check_scopes([Scope.ADMIN], role) == [Scope.ADMIN]
        for scopes, role in (([], Role.ADMIN), ([Scope.ADMIN, Scope.TASKS_READ], Role.USER)):
            with pytest.raises(Invalid) as caught:
                check_scopes(scopes, role)
            assert caught.value.path == ("scopes",)

    def test_the_end_of_a_new_token(self):
        """90 days by default, never in the past, never after the maximum."""
        assert check_expiry(None, NOW, YEAR) == NOW + timedelta(days=90)
        assert check_expiry(None, NOW, timedelta(days=7)) == NOW + timedelta(days=7)
        assert check_expiry(NOW + YEAR, NOW, YEAR) == NOW + YEAR
        for wrong in (NOW, NOW - timedelta(seconds=1), NOW + YEAR + timedelta(seconds=1)):
            with pytest.raises(Invalid) as caught:
                check_expiry(wrong, NOW, YEAR)
            assert caught.value.path == ("expiresAt",)

    def test_names(self):
        """1 to 100 characters without the space around them."""
        assert check_name(" CI ") == "CI"
        assert check_name("x" * 100) == "x" * 100
        for wrong in ("", "  ", "x" * 101, "a\0b"):
            with pytest.raises(Invalid):
                check_name(wrong)

    def test_the_number_of_tokens(self):
        """A user has so many at most."""
        check_count(MAX_TOKENS - 1)
        with pytest.raises(Invalid, match="revoke one"):
            check_count(MAX_TOKENS)
