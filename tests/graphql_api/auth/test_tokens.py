"""Only own tokens are accepted, the refusal is invalid or expired, and keys can be rotated."""

import base64
import contextlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi.errors import ExpiredToken, InvalidToken
from domain.errors import Unauthenticated
from graphql_api.auth.authenticator import bearer
from graphql_api.auth.tokens import MAX_TOKEN, AccessTokens, Claims

NOW = datetime(2026, 5, 4, 12, 0, 0, 250_000, tzinfo=UTC)
LIFETIME = timedelta(minutes=15)
OLD, NEW = b"o" * 32, b"n" * 32
USER, SESSION, TOKEN = UUID(int=1), UUID(int=2), UUID(int=3)
GOOD: dict[str, Any] = {
    "iss": "taskriver",
    "aud": "taskriver-api",
    "sub": str(USER),
    "sid": str(SESSION),
    "jti": str(TOKEN),
    "iat": int(NOW.timestamp()),
    "exp": int((NOW + LIFETIME).timestamp()),
}


def tokens(**ring: bytes) -> AccessTokens:
    return AccessTokens(ring or {"new": NEW}, "taskriver", "taskriver-api", LIFETIME)


def forged(claims: dict[str, Any] = GOOD, key: bytes = NEW, algorithm: str = "HS256", **headers: object) -> str:
    """A token signed with the current key by default."""
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": "new", "typ": "at+jwt"} | headers)


def but(**claims: object) -> dict[str, Any]:
    """Good claims but for these; None leaves one out."""
    return {name: value for name, value in (GOOD | claims).items() if value is not None}


def unsigned(header: object, payload: object, signature: str = "") -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (header, payload)]
    return ".".join([*parts, signature])


class TestIssuing:
    def test_an_issued_token_can_be_read(self) -> None:
        """It has its user and its expiry."""
        issued = tokens().issue(USER, SESSION, NOW)
        claims = tokens().read(issued.token, NOW)
        assert claims == Claims(USER, SESSION, claims.token_id, issued.expires_at)

    def test_the_form_is_that_of_rfc_9068(self) -> None:
        """Header and claims are exactly the documented ones, and the token is far below the limit of length."""
        token = tokens().issue(USER, SESSION, NOW).token
        assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "at+jwt", "kid": "new"}
        payload = jwt.decode(token, options={"verify_signature": False})
        assert payload.keys() == GOOD.keys()
        assert len(token) < MAX_TOKEN / 4

    def test_no_two_tokens_are_equal(self) -> None:
        """Two tokens of one instant have different ids."""
        ids = {tokens().read(tokens().issue(USER, SESSION, NOW).token, NOW).token_id for _ in range(20)}
        assert len(ids) == 20
        assert all(isinstance(each, UUID) for each in ids)

    def test_lifetimes_differ_by_up_to_a_tenth(self) -> None:
        """They are spread between nine tenths of the lifetime and all of it."""
        lives = [tokens().issue(USER, SESSION, NOW).expires_at - NOW.replace(microsecond=0) for _ in range(500)]
        assert min(lives) >= LIFETIME * 0.9
        assert max(lives) <= LIFETIME
        assert max(lives) - min(lives) > LIFETIME * 0.08

    def test_the_end_is_the_end_of_the_token(self) -> None:
        """The announced instant is the first one at which the token is refused."""
        issued = tokens().issue(USER, SESSION, NOW)
        tokens().read(issued.token, issued.expires_at - timedelta(microseconds=1))
        with pytest.raises(ExpiredToken, match=r"^Token has expired: "):
            tokens().read(issued.token, issued.expires_at)


class TestKeys:
    def test_key_rotation_keeps_tokens_valid(self) -> None:
        """Append the new key, move it to the front, remove the old one: each step accepts earlier tokens."""
        ring = [tokens(old=OLD), tokens(old=OLD, new=NEW), tokens(new=NEW, old=OLD), tokens(new=NEW)]
        for before, after in [(0, 1), (1, 0), (1, 2), (2, 1), (2, 3)]:
            assert ring[after].read(ring[before].issue(USER, SESSION, NOW).token, NOW).user_id == USER

    def test_a_removed_key_opens_nothing(self) -> None:
        """What a key signed that is gone is garbage."""
        token = tokens(old=OLD).issue(USER, SESSION, NOW).token
        with pytest.raises(InvalidToken):
            tokens(new=NEW).read(token, NOW)

    def test_the_kid_selects_the_key(self) -> None:
        """A token with the name of another key is invalid."""
        with pytest.raises(InvalidToken):
            tokens(new=NEW, old=OLD).read(forged(key=OLD), NOW)

    @pytest.mark.parametrize("ring", [{}, {"short": b"x" * 31}, {"new": NEW, "empty": b""}])
    def test_unsafe_keys_are_refused_at_the_start(self, ring: dict[str, bytes]) -> None:
        """No key, or one too short for HMAC-SHA-256."""
        with pytest.raises(ValueError):
            AccessTokens(ring, "taskriver", "taskriver-api", LIFETIME)


class TestGarbage:
    def test_the_forger_of_these_tests_can_make_a_good_one(self) -> None:
        """The tokens below are refused for their one flaw."""
        assert tokens().read(forged(), NOW).session_id == SESSION

    @pytest.mark.parametrize(
        "token",
        [
            "",
            ".",
            "..",
            "garbage",
            "a.b.c",
            "é.é.é",
            "\ud800",
            "x" * 10_000_000,
            forged()[:-3],
            forged() + ".x",
            forged(but(filler="x" * MAX_TOKEN)),
            unsigned({"alg": "none", "typ": "at+jwt", "kid": "new"}, GOOD),
            unsigned({"alg": "None", "typ": "at+jwt", "kid": "new"}, GOOD, "x"),
            unsigned({"alg": ["HS256"], "typ": "at+jwt", "kid": "new"}, GOOD),
            unsigned({"alg": "HS256", "typ": "at+jwt", "kid": ["new"]}, GOOD),
            unsigned([], GOOD),
            unsigned(None, None),
            forged(algorithm="HS512", key=NEW * 2),
            forged(key=b"k" * 32),
            forged(kid="other"),
            forged(kid=""),
            forged(typ="JWT"),
            forged(typ=None),
            forged(crit=["exp"], exp=1),
            forged(but(iss="another")),
            forged(but(aud="other")),
            forged(but(aud=["taskriver-api"])),
            forged(but(sub="ada")),
            forged(but(sid="none")),
            forged(but(jti="1")),
            forged(but(exp="soon")),
            forged(but(exp=True)),
            forged(but(exp=GOOD["exp"] + 0.5)),
            forged(but(exp=10**30)),
            forged(but(exp=-(10**30))),
            *(forged(but(**{claim: None})) for claim in GOOD),
        ],
        ids=lambda token: token[:20].encode(errors="replace").decode(),
    )
    def test_an_invalid_token_is_refused(self, token: str) -> None:
        """All of them with the same message."""
        with pytest.raises(InvalidToken, match=r"^Invalid token: "):
            tokens().read(token, NOW)

    def test_an_invalid_token_is_not_expired(self) -> None:
        """Only an own token can be expired."""
        with pytest.raises(InvalidToken):
            tokens().read(forged(but(exp=1, sub="ada")), NOW)
        with pytest.raises(ExpiredToken):
            tokens().read(forged(but(exp=1)), NOW)

    def test_both_refusals_are_unauthenticated(self) -> None:
        """They have a common base class."""
        assert issubclass(InvalidToken, Unauthenticated)
        assert issubclass(ExpiredToken, Unauthenticated)

    @given(token=st.text(st.characters(exclude_categories=())) | st.from_regex(r"[\w-]+\.[\w-]+\.[\w-]*"))
    def test_any_text_as_a_token(self, token: str) -> None:
        """Only the documented error is raised."""
        with pytest.raises(InvalidToken):
            tokens().read(token, NOW)

    json_values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=5,
    )

    @given(claim=st.sampled_from([*GOOD]), value=json_values)
    def test_any_signed_claims(self, claim: str, value: object) -> None:
        """The token is accepted or refused, and accepted values are well-formed."""
        claims = GOOD | {claim: value}
        if claim == "iss" and not isinstance(value, str):
            return  # the library does not sign this
        with contextlib.suppress(InvalidToken, ExpiredToken):
            assert tokens().read(forged(claims), NOW).expires_at > NOW

    @given(header=st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "zip"]), json_values))
    def test_any_unsigned_header(self, header: dict[str, object]) -> None:
        """The token is refused."""
        with pytest.raises(InvalidToken):
            tokens().read(unsigned(header, GOOD, "x" * 43), NOW)


class TestBearer:
    @pytest.mark.parametrize("header", ["Bearer abc", "bearer abc", "BEARER  abc ", " Bearer abc"])
    def test_the_scheme_is_found_in_any_case(self, header: str) -> None:
        """The scheme's case and the number of spaces do not matter."""
        assert bearer(header) == "abc"

    def test_no_header_is_no_token(self) -> None:
        """A request without the header is anonymous, which is no error here."""
        assert bearer(None) is None

    @pytest.mark.parametrize("header", [None, "", " "])
    def test_an_empty_header_counts_as_absent(self, header: str | None) -> None:
        """Clients send it when no user is signed in."""
        assert bearer(header) is None

    @pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Basic abc", "abc", "Bearerabc", "Bearer\tabc"])
    def test_another_header_is_refused(self, header: str) -> None:
        """It is not taken for an anonymous request."""
        with pytest.raises(InvalidToken):
            bearer(header)

    @given(header=st.text())
    def test_any_text_as_a_header(self, header: str) -> None:
        """The result is a token or the documented error; for empty text it is nothing."""
        with contextlib.suppress(InvalidToken):
            assert bool(bearer(header)) == bool(header.strip())
