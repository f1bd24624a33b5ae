"""ID tokens and logout tokens: what is accepted, and everything that is not."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from openid.errors import InvalidToken
from openid.http import ProviderHTTP
from openid.id_token import LOGOUT_EVENT, MAX_AGE_SECONDS, SKEW_SECONDS, TokenVerifier
from openid.keys import ProviderKeys
from openid.metadata import ALGORITHMS, Metadata
from tests.support.fake_provider import Key

ISSUER = "https://login.example.org"
NOW = 1_800_000_000
NONCE = "the nonce"
ACCESS_TOKEN = "an access token"
KEY = Key("k1")
METADATA = Metadata(
    issuer=ISSUER,
    authorization_endpoint=f"{ISSUER}/a",
    token_endpoint=f"{ISSUER}/t",
    jwks_uri=f"{ISSUER}/k",
    userinfo_endpoint=None,
    end_session_endpoint=None,
    sends_issuer=True,
    algorithms=ALGORITHMS,
    secret_in_form=False,
)
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": "us",
    "sub": "alice",
    "iat": NOW - 1,
    "exp": NOW + 60,
    "nonce": NONCE,
}
LOGOUT: dict[str, Any] = {
    "iss": ISSUER,
    "aud": "us",
    "sub": "alice",
    "iat": NOW - 1,
    "jti": "1",
    "events": {LOGOUT_EVENT: {}},
}


class FixedKeys(ProviderHTTP):
    """Answers with these keys."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        super().__init__()
        self.keys = list(keys)
        self.requests = 0

    async def get(self, url: str, *, bearer: str | None = None) -> dict[str, Any]:
        """The keys."""
        self.requests += 1
        return {"keys": self.keys}


def verifier(*keys: dict[str, Any]) -> TokenVerifier:
    """A verifier with these keys."""
    return TokenVerifier(ProviderKeys(FixedKeys(*keys or (KEY.public,))), "us")


async def verified(token: object, *keys: dict[str, Any], access_token: object = ACCESS_TOKEN) -> dict[str, Any]:
    """The claims of an ID token, at the time `NOW`."""
    return dict(await verifier(*keys).id_token(token, METADATA, nonce=NONCE, access_token=access_token, now=NOW))


def changed(**changes: Any) -> dict[str, Any]:
    """The usual claims with changes; None removes one."""
    return {name: value for name, value in (CLAIMS | changes).items() if value is not None}


def at_hash(text: str = ACCESS_TOKEN, function: Callable[[bytes], Any] = hashlib.sha256) -> str:
    """The claim for an access token."""
    digest = function(text.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def part(value: dict[str, Any]) -> str:
    """A part of a token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


ACCEPTED: dict[str, dict[str, Any]] = {
    "the usual one": {},
    "a list with one audience": {"aud": ["us"]},
    "several audiences, requested by this server": {"aud": ["us", "them"], "azp": "us"},
    "azp of this server": {"azp": "us"},
    "at_hash": {"at_hash": at_hash()},
    "a clock that is ahead": {"iat": NOW + SKEW_SECONDS},
    "a clock that is behind": {"iat": NOW - SKEW_SECONDS - 30, "exp": NOW - SKEW_SECONDS + 1},
    "fractions of seconds": {"iat": NOW - 0.5},
    "a session": {"sid": "s-1"},
    "other claims": {"groups": ["a"], "acr": "1"},
    "the longest subject": {"sub": "s" * 255},
}
REFUSED: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://evil.example"},
    "an issuer with a slash": {"iss": ISSUER + "/"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "them"},
    "a longer audience": {"aud": "us-too"},
    "no audience": {"aud": None},
    "an empty audience": {"aud": []},
    "several audiences without azp": {"aud": ["us", "them"]},
    "another azp": {"azp": "them"},
    "another azp and several audiences": {"aud": ["us", "them"], "azp": "them"},
    "no subject": {"sub": None},
    "an empty subject": {"sub": ""},
    "a long subject": {"sub": "s" * 256},
    "a subject that is no text": {"sub": 7},
    "a subject with a line break": {"sub": "alice\n"},
    "a subject with NUL": {"sub": "al\x00ice"},
    "another nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "an empty nonce": {"nonce": ""},
    "a nonce that is no text": {"nonce": [NONCE]},
    "expired": {"exp": NOW - SKEW_SECONDS},
    "no end": {"exp": None},
    "an end that is no number": {"exp": "tomorrow"},
    "an infinite end": {"exp": float("inf")},
    "an end that is true": {"exp": True},
    "from the future": {"iat": NOW + SKEW_SECONDS + 1},
    "an old one": {"iat": NOW - MAX_AGE_SECONDS - SKEW_SECONDS - 1},
    "no time": {"iat": None},
    "not valid yet": {"nbf": NOW + SKEW_SECONDS + 1},
    "at_hash of another token": {"at_hash": at_hash("another")},
    "at_hash that is no text": {"at_hash": 1},
    "an empty at_hash": {"at_hash": ""},
    "a session that is no text": {"sid": {}},
}


class TestClaims:
    @pytest.mark.parametrize("changes", ACCEPTED.values(), ids=ACCEPTED)
    async def test_accepted(self, changes: dict[str, Any]):
        """What OpenID Connect permits."""
        assert await verified(KEY.sign(changed(**changes))) == changed(**changes)

    @pytest.mark.parametrize("changes", REFUSED.values(), ids=REFUSED)
    async def test_refused(self, changes: dict[str, Any]):
        """Everything else; nothing of it is another exception."""
        with pytest.raises(InvalidToken):
            await verified(KEY.sign(changed(**changes)))

    async def test_at_hash_without_an_access_token(self):
        """The claim says that there is one."""
        with pytest.raises(InvalidToken) as raised:
            await verified(KEY.sign(changed(at_hash=at_hash())), access_token=None)
        assert "at_hash" in raised.value.detail


class TestSignatures:
    @pytest.mark.parametrize("token", [None, 7, "", "a.b.c", "e30.e30.", "x" * 70_000, "ü.ü.ü", {}])
    async def test_no_token(self, token: object):
        """Is refused."""
        with pytest.raises(InvalidToken):
            await verified(token)

    async def test_no_signature(self):
        """`none` is no algorithm, however it is written, and a signature cannot be left out."""
        for algorithm in ("none", "None", "NONE", ""):
            with pytest.raises(InvalidToken):
                await verified(f"{part({'alg': algorithm, 'kid': 'k1'})}.{part(CLAIMS)}.")
        with pytest.raises(InvalidToken):
            await verified(KEY.sign(CLAIMS).rpartition(".")[0] + ".")

    async def test_the_public_key_as_a_secret(self):
        """HMAC with a public key, which everyone knows, in each of its forms."""
        public = KEY.private.public_key()
        formats = serialization.PublicFormat
        secrets = [
            public.public_bytes(serialization.Encoding.PEM, formats.SubjectPublicKeyInfo),
            public.public_bytes(serialization.Encoding.DER, formats.SubjectPublicKeyInfo),
            json.dumps(KEY.public).encode(),
        ]
        for secret in secrets:
            signed = f"{part({'alg': 'HS256', 'kid': 'k1'})}.{part(CLAIMS)}"
            mac = base64.urlsafe_b64encode(hmac.digest(secret, signed.encode(), "sha256")).rstrip(b"=").decode()
            with pytest.raises(InvalidToken) as raised:
                await verified(f"{signed}.{mac}")
            assert "algorithm" in raised.value.detail

    async def test_an_oct_key_of_the_provider(self):
        """A provider that publishes a shared secret: its algorithms are not accepted."""
        secret = b"s" * 32
        jwk = {"kty": "oct", "kid": "k1", "k": base64.urlsafe_b64encode(secret).decode()}
        with pytest.raises(InvalidToken) as raised:
            await verified(jwt.encode(CLAIMS, secret, "HS256", {"kid": "k1"}), jwk)
        assert "algorithm" in raised.value.detail

    async def test_a_key_in_the_header(self):
        """`jwk`, `jku` and `x5c` of the token are not read."""
        forger = Key("k1")
        with pytest.raises(InvalidToken):
            await verified(forger.sign(CLAIMS, jwk=forger.public, jku="https://evil.example/jwks"))

    async def test_critical_headers(self):
        """Are not supported, so the token is refused (RFC 7515, 4.1.11)."""
        with pytest.raises(InvalidToken):
            await verified(KEY.sign(CLAIMS, crit=["b64"], b64=True))

    async def test_changed_claims(self):
        """A signature is for all of them."""
        header, _, signature = KEY.sign(CLAIMS).split(".")
        body = part(changed(sub="admin"))
        with pytest.raises(InvalidToken):
            await verified(f"{header}.{body}.{signature}")

    @pytest.mark.parametrize("algorithm", ["RS256", "RS512", "PS256", "EdDSA"])
    async def test_other_algorithms(self, algorithm: str):
        """With the keys that fit; at_hash has the hash of the algorithm."""
        if algorithm == "EdDSA":
            private: Any = ed25519.Ed25519PrivateKey.generate()
            public = jwt.algorithms.OKPAlgorithm.to_jwk(private.public_key(), as_dict=True)
            function: Any = hashlib.sha512
        else:
            private = rsa.generate_private_key(65537, 2048)
            public = jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
            function = hashlib.sha512 if algorithm == "RS512" else hashlib.sha256
        claims = changed(at_hash=at_hash(function=function))
        token = jwt.encode(claims, private, algorithm, {"kid": "other"})
        keys = (KEY.public, {**public, "kid": "other", "key_ops": ["verify"]})
        assert await verified(token, *keys) == claims

    @pytest.mark.parametrize("change", [{"use": "enc"}, {"alg": "RS256"}, {"kty": "RSA"}, {"x": "!"}, {"crv": "P-384"}])
    async def test_keys_that_do_not_fit(self, change: dict[str, Any]):
        """Keys for something else are not used, and broken ones are no other exception."""
        with pytest.raises(InvalidToken):
            await verified(KEY.sign(CLAIMS), KEY.public | change)

    async def test_without_a_key_id(self):
        """The only key that fits is used; of several, none."""
        token = jwt.encode(CLAIMS, KEY.private, "ES256")
        assert await verified(token) == CLAIMS
        with pytest.raises(InvalidToken):
            await verified(token, KEY.public, Key("k2").public)


class TestRotation:
    async def test_unknown_keys_cause_few_requests(self):
        """One at first, and one in each pause."""
        now = 0.0
        http = FixedKeys(KEY.public)
        keys = ProviderKeys(http, clock=lambda: now, pause=30)
        await keys.find("", "k1", "ES256")
        for second in range(1, 90):
            now = float(second)
            with pytest.raises(InvalidToken):
                await keys.find("", f"unknown {second}", "ES256")
        assert http.requests == 3

    async def test_a_new_key_is_found_and_a_withdrawn_one_is_not(self):
        """After a rotation."""
        now = 0.0
        http = FixedKeys(KEY.public)
        keys = ProviderKeys(http, clock=lambda: now, pause=30)
        await keys.find("", "k1", "ES256")
        http.keys = [Key("k2").public]
        now = 31.0
        await keys.find("", "k2", "ES256")
        with pytest.raises(InvalidToken):
            await keys.find("", "k1", "ES256")

    async def test_keys_are_read_again_after_an_hour(self):
        """So a key that was withdrawn is not accepted for longer."""
        now = 0.0
        http = FixedKeys(KEY.public)
        keys = ProviderKeys(http, clock=lambda: now)
        await keys.find("", "k1", "ES256")
        http.keys = []
        now = 3_601.0
        with pytest.raises(InvalidToken):
            await keys.find("", "k1", "ES256")


LOGOUT_REFUSED: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://evil.example"},
    "another audience": {"aud": "them"},
    "no jti": {"jti": None},
    "a jti that is no text": {"jti": 7},
    "no events": {"events": None},
    "another event": {"events": {"other": {}}},
    "an event that is no object": {"events": {LOGOUT_EVENT: "x"}},
    "a nonce": {"nonce": NONCE},
    "neither sub nor sid": {"sub": None},
    "a sub that is no text": {"sub": 1},
    "from the future": {"iat": NOW + SKEW_SECONDS + 1},
    "an old one": {"iat": NOW - MAX_AGE_SECONDS - SKEW_SECONDS - 1},
    "expired": {"exp": NOW - SKEW_SECONDS},
    "no time": {"iat": None},
}


class TestLogoutTokens:
    @pytest.mark.parametrize("names", [("sub",), ("sid",), ("sub", "sid")])
    async def test_accepted(self, names: tuple[str, ...]):
        """By subject, by session, or both."""
        claims = {name: value for name, value in LOGOUT.items() if name != "sub"} | dict.fromkeys(names, "x")
        found = await verifier().logout_token(KEY.sign(claims, typ="logout+jwt"), METADATA, now=NOW)
        assert found.subject == claims.get("sub")
        assert found.session == claims.get("sid")

    @pytest.mark.parametrize("changes", LOGOUT_REFUSED.values(), ids=LOGOUT_REFUSED)
    async def test_refused(self, changes: dict[str, Any]):
        """Back-Channel Logout 1.0, 2.6."""
        claims = {name: value for name, value in (LOGOUT | changes).items() if value is not None}
        with pytest.raises(InvalidToken):
            await verifier().logout_token(KEY.sign(claims), METADATA, now=NOW)

    async def test_the_two_kinds_are_not_each_other(self):
        """An ID token signs nobody out, and a logout token nobody in."""
        with pytest.raises(InvalidToken):
            await verifier().logout_token(KEY.sign(CLAIMS), METADATA, now=NOW)
        with pytest.raises(InvalidToken):
            await verified(KEY.sign(LOGOUT | {"exp": NOW + 60}))
        with pytest.raises(InvalidToken):
            await verifier().logout_token(KEY.sign(LOGOUT, typ="at+jwt"), METADATA, now=NOW)
