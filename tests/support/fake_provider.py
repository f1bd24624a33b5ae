"""An OpenID Connect provider for tests. It behaves well until a test lets it do something else."""

import base64
import hashlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from openid.id_token import LOGOUT_EVENT
from tests.support.serving import serving

Respond = Callable[[Request], Awaitable[Response]]
SECRET = "a secret with / and ? and ü"


class Key:
    """A key of the provider."""

    def __init__(self, kid: str) -> None:
        self.kid = kid
        self.private = ec.generate_private_key(ec.SECP256R1())

    @property
    def public(self) -> dict[str, Any]:
        """As in the JWKS."""
        key = jwt.algorithms.ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {**key, "kid": self.kid, "use": "sig"}

    def sign(self, claims: dict[str, Any], **headers: Any) -> str:
        """A JWT."""
        return jwt.encode(claims, self.private, "ES256", {"kid": self.kid} | headers)


class FakeProvider:
    """A provider with one user and one client.

    `user` are the claims of the user. `changes` are merged into the claims of ID tokens, where None removes one.
    `sign` makes the ID token from its claims. `answers` replaces endpoints, by path. `requests` has the paths of all
    requests.
    """

    def __init__(self) -> None:
        self.issuer = ""
        self.client_id = "taskriver"
        self.key = Key("first")
        self.published = [self.key]
        self.user: dict[str, Any] = {
            "sub": secrets.token_hex(8),
            "email": f"{secrets.token_hex(4)}@example.org",
            "email_verified": True,
            "preferred_username": f"u{secrets.token_hex(4)}",
        }
        self.changes: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.answers: dict[str, Respond] = {}
        self.requests: list[str] = []
        self.sign: Callable[[dict[str, Any]], str] = self.signed
        self.codes: dict[str, dict[str, str]] = {}
        self.allows_reuse = False
        self.forms: list[dict[str, str]] = []

    @property
    def app(self) -> Starlette:
        """The application."""
        endpoints = {
            "/.well-known/openid-configuration": self._metadata,
            "/authorize": self._authorize,
            "/token": self._token,
            "/jwks": self._jwks,
            "/userinfo": self._userinfo,
            "/elsewhere": self._elsewhere,
        }
        methods = ["GET", "POST"]
        routes = [Route(path, self._endpoint(path, each), methods=methods) for path, each in endpoints.items()]
        return Starlette(routes=routes)

    def signed(self, claims: dict[str, Any]) -> str:
        """A JWT with the current key."""
        return self.key.sign(claims)

    def claims(self, nonce: str) -> dict[str, Any]:
        """The claims of an ID token of now."""
        now = int(datetime.now(UTC).timestamp())
        usual = {"iss": self.issuer, "aud": self.client_id, "iat": now, "exp": now + 300, "nonce": nonce}
        merged = usual | self.user | self.changes
        return {name: value for name, value in merged.items() if value is not None}

    def logout_token(self, **changes: Any) -> str:
        """A logout token for the user."""
        now = int(datetime.now(UTC).timestamp())
        usual = {
            "iss": self.issuer,
            "aud": self.client_id,
            "iat": now,
            "exp": now + 120,
            "jti": secrets.token_hex(8),
            "sub": self.user["sub"],
            "events": {LOGOUT_EVENT: {}},
        }
        merged = {name: value for name, value in (usual | changes).items() if value is not None}
        return self.key.sign(merged, typ="logout+jwt")

    def _endpoint(self, path: str, usual: Respond) -> Respond:
        async def answer(request: Request) -> Response:
            self.requests.append(path)
            return await self.answers.get(path, usual)(request)

        return answer

    async def _metadata(self, request: Request) -> Response:
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "end_session_endpoint")
        paths = ("/authorize", "/token", "/jwks", "/userinfo", "/logout")
        usual: dict[str, Any] = {name: self.issuer + path for name, path in zip(names, paths, strict=True)}
        usual |= {"issuer": self.issuer, "id_token_signing_alg_values_supported": ["ES256", "RS256", "HS256", "none"]}
        usual |= {"authorization_response_iss_parameter_supported": True}
        return JSONResponse({name: value for name, value in (usual | self.metadata).items() if value is not None})

    async def _authorize(self, request: Request) -> Response:
        """Signs the user in at once."""
        asked = dict(request.query_params)
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        back = {"code": code, "state": asked["state"], "iss": self.issuer}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(back)}", 303)

    async def _token(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        self.forms.append(form)
        asked = self.codes.get(form["code"]) if self.allows_reuse else self.codes.pop(form["code"], None)
        given = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode().split(":")
        if [unquote(part) for part in given] != [self.client_id, SECRET]:
            return JSONResponse({"error": "invalid_client"}, 401)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or asked["code_challenge"] != challenge or asked["redirect_uri"] != form["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        id_token = self.sign(self.claims(asked["nonce"]))
        return JSONResponse({"access_token": "at-1", "token_type": "Bearer", "id_token": id_token})

    async def _jwks(self, request: Request) -> Response:
        return JSONResponse({"keys": [key.public for key in self.published]})

    async def _userinfo(self, request: Request) -> Response:
        assert request.headers["authorization"] == "Bearer at-1"
        return JSONResponse(self.user)

    async def _elsewhere(self, request: Request) -> Response:
        return JSONResponse({})


@asynccontextmanager
async def a_provider() -> AsyncIterator[FakeProvider]:
    """A provider over the network, on another site than the API."""
    provider = FakeProvider()
    async with serving(provider.app) as url:
        provider.issuer = url
        yield provider
