"""Requests to providers: what is slow, endless, large, redirected or no JSON ends early and with a clear error."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from openid.config import ProviderConfig, issuer_problem, may_use
from openid.errors import InvalidResponse, ProviderUnavailable
from openid.http import ProviderHTTP
from openid.metadata import Metadata
from openid.provider import Provider
from tests.support.serving import serving
from tests.support.waiting import HANG_SECONDS


async def _slow(request: Request) -> Response:
    await asyncio.sleep(HANG_SECONDS)
    return Response()


async def _endless(request: Request) -> Response:
    async def body() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.01)

    return StreamingResponse(body())


async def _large(request: Request) -> Response:
    return Response(b'"' + b"x" * 400_000 + b'"')


async def _compressed(request: Request) -> Response:
    return Response(gzip.compress(b" " * 1_000_000), headers={"content-encoding": "gzip"})


async def _redirect(request: Request) -> Response:
    return RedirectResponse("/object")


async def _object(request: Request) -> Response:
    return Response(b'{"a": 1}')


async def _list(request: Request) -> Response:
    return Response(b"[1]")


async def _deep(request: Request) -> Response:
    return Response(b'{"a":' * 20_000)


async def _page(request: Request) -> Response:
    return Response(b"<html>")


async def _failing(request: Request) -> Response:
    return Response(b"{}", 500)


ENDPOINTS = {
    "/slow": _slow,
    "/endless": _endless,
    "/large": _large,
    "/compressed": _compressed,
    "/redirect": _redirect,
    "/object": _object,
    "/list": _list,
    "/deep": _deep,
    "/page": _page,
    "/failing": _failing,
}


@pytest.fixture(scope="module")
async def url() -> AsyncIterator[str]:
    """A server that answers in all these ways."""
    async with serving(Starlette(routes=[Route(path, each) for path, each in ENDPOINTS.items()])) as url:
        yield url


@pytest.fixture
async def http() -> AsyncIterator[ProviderHTTP]:
    """A client with a short time limit."""
    http = ProviderHTTP(seconds=0.5)
    yield http
    await http.close()


@pytest.fixture
async def patient() -> AsyncIterator[ProviderHTTP]:
    """A client that waits."""
    http = ProviderHTTP(seconds=HANG_SECONDS)
    yield http
    await http.close()


class TestLimits:
    @pytest.mark.parametrize(
        ("path", "error"),
        [
            ("/large", InvalidResponse),
            ("/compressed", InvalidResponse),
            ("/redirect", InvalidResponse),
            ("/list", InvalidResponse),
            ("/deep", InvalidResponse),
            ("/page", InvalidResponse),
            ("/failing", ProviderUnavailable),
        ],
    )
    async def test_refused(self, url: str, patient: ProviderHTTP, path: str, error: type[Exception]):
        """Each of them, and the detail names the address without its query."""
        with pytest.raises(error) as raised:
            await patient.get(f"{url}{path}?secret=1")
        assert path in raised.value.detail  # type: ignore[attr-defined]
        assert "secret" not in raised.value.detail  # type: ignore[attr-defined]

    @pytest.mark.parametrize("path", ["/slow", "/endless"])
    async def test_slow_answers(self, url: str, http: ProviderHTTP, path: str):
        """End with the time limit, also if bytes go on arriving."""
        with pytest.raises(ProviderUnavailable):
            await http.get(f"{url}{path}")

    async def test_an_object_is_accepted(self, url: str, patient: ProviderHTTP):
        """With status 200."""
        assert await patient.get(f"{url}/object") == {"a": 1}

    @pytest.mark.parametrize(
        "address", ["http://127.0.0.1:9/", "http://[::1", "http://no-such-host.invalid/", "ftp://x"]
    )
    async def test_no_server(self, http: ProviderHTTP, address: str):
        """Nothing else is raised."""
        with pytest.raises(ProviderUnavailable):
            await http.get(address)

    async def test_the_event_loop_goes_on(self, url: str, http: ProviderHTTP):
        """While requests wait for a provider, others are served."""
        waiting = [asyncio.create_task(http.get(f"{url}/slow")) for _ in range(10)]
        turns = 0
        while not all(each.done() for each in waiting):
            await asyncio.sleep(0)
            turns += 1
        assert {type(each.exception()) for each in waiting} == {ProviderUnavailable}
        assert turns > 20


CONFIG = ProviderConfig("one", "One", "https://login.example.org", "us", "secret")
DOCUMENT: dict[str, Any] = {
    "issuer": CONFIG.issuer,
    "authorization_endpoint": "https://login.example.org/a?x=1",
    "token_endpoint": "https://tokens.example.com/t",
    "jwks_uri": "https://login.example.org/k",
}
WRONG: dict[str, dict[str, Any]] = {
    "another issuer": {"issuer": "https://evil.example"},
    "a slash more": {"issuer": CONFIG.issuer + "/"},
    "no issuer": {"issuer": None},
    "no authorization endpoint": {"authorization_endpoint": None},
    "an endpoint without TLS": {"token_endpoint": "http://login.example.org/t"},
    "a script": {"authorization_endpoint": "javascript:alert(1)"},
    "a file": {"jwks_uri": "file:///etc/passwd"},
    "a user in an address": {"token_endpoint": "https://a:b@login.example.org/t"},
    "a line break": {"authorization_endpoint": "https://login.example.org/a\r\nset-cookie: a=b"},
    "an address that is no text": {"userinfo_endpoint": 7},
    "a fragment": {"authorization_endpoint": "https://login.example.org/#a"},
    "only signatures with a shared secret": {"id_token_signing_alg_values_supported": ["HS256", "none"]},
    "algorithms that are no list": {"id_token_signing_alg_values_supported": "RS256"},
    "only plain PKCE": {"code_challenge_methods_supported": ["plain"]},
}


class FromMemory(ProviderHTTP):
    """Answers with a document, or fails."""

    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__()
        self.document: dict[str, Any] | None = document
        self.requests: list[str] = []

    async def get(self, url: str, *, bearer: str | None = None) -> dict[str, Any]:
        """The document."""
        self.requests.append(url)
        await asyncio.sleep(0)
        if self.document is None:
            raise ProviderUnavailable("it is down")
        return self.document


class TestMetadata:
    def test_what_is_read(self):
        """Algorithms that are never accepted are left out."""
        found = Metadata.of(
            DOCUMENT | {"id_token_signing_alg_values_supported": ["RS256", "HS256", "none"]}, CONFIG.issuer
        )
        assert found.algorithms == {"RS256"}
        assert not found.secret_in_form
        assert Metadata.of(
            DOCUMENT | {"token_endpoint_auth_methods_supported": ["client_secret_post"]}, CONFIG.issuer
        ).secret_in_form

    @pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
    def test_refused(self, changes: dict[str, Any]):
        """Whatever the document says."""
        with pytest.raises(InvalidResponse):
            Metadata.of(DOCUMENT | changes, CONFIG.issuer)

    async def test_one_request_for_all_who_wait(self):
        """And no other for an hour."""
        now = 0.0
        http = FromMemory(DOCUMENT)
        provider = Provider(CONFIG, http, clock=lambda: now)
        await asyncio.gather(*(provider.metadata() for _ in range(20)))
        now = 3_599.0
        await provider.metadata()
        assert http.requests == ["https://login.example.org/.well-known/openid-configuration"]
        now = 3_601.0
        http.document = None
        assert (await provider.metadata()).issuer == CONFIG.issuer  # the earlier one
        assert len(http.requests) == 2

    async def test_a_failure_is_shared_for_a_second(self):
        """A provider that is down is not asked for each click."""
        now = 0.0
        http = FromMemory(DOCUMENT)
        http.document = None
        provider = Provider(CONFIG, http, clock=lambda: now)
        answers = await asyncio.gather(*(provider.metadata() for _ in range(20)), return_exceptions=True)
        assert {type(each) for each in answers} == {ProviderUnavailable}
        assert len(http.requests) == 1
        http.document, now = DOCUMENT, 1.5
        await provider.metadata()


@pytest.mark.parametrize(
    "issuer", ["https://a.example", "https://a.example/realms/x/", "http://localhost:8080", "https://[::1]:1"]
)
def test_issuers(issuer: str):
    """With and without a path."""
    assert issuer_problem(issuer) is None


@pytest.mark.parametrize(
    "issuer",
    [
        "",
        "a.example",
        "ftp://a.example",
        "https://",
        "https://a.example?x",
        "https://a.example#x",
        "https://u:p@a.example",
    ],
)
def test_no_issuers(issuer: str):
    """Anything else."""
    assert issuer_problem(issuer) is not None


def test_addresses_without_tls_need_an_issuer_without_tls():
    """As on a developer's machine."""
    assert may_use("http://localhost/t", issuer="http://localhost")
    assert not may_use("http://localhost/t", issuer="https://localhost")
