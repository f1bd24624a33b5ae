"""Pages of listed origins may read responses; other pages may not."""

import httpx
import pytest

from server.settings import VITE_ORIGINS, Environment, Settings
from tests.support.api import Api

LISTED = {"origin": "https://app.example.org"}
FOREIGN = {"origin": "https://evil.example"}
ASKING = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}


async def test_a_preflight_of_a_listed_page_is_granted(client: httpx.AsyncClient) -> None:
    """With credentials, and with the headers of the API."""
    response = await client.options("/graphql", headers=LISTED | {"access-control-request-method": "POST"})
    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] == LISTED["origin"]
    assert response.headers["access-control-allow-credentials"] == "true"
    for name in ("authorization", "content-type", "idempotency-key", "if-match", "x-request-id"):
        assert name in response.headers["access-control-allow-headers"]


@pytest.mark.parametrize(
    "names",
    [
        "authorization,content-type",
        "apollographql-client-name,apollographql-client-version,content-type",
        "baggage,content-type,sentry-trace,traceparent,tracestate",
        "apollo-require-preflight , x-apollo-operation-id,x-apollo-operation-name,x-requested-with",
        "X-Anything",
    ],
)
async def test_a_listed_page_may_send_the_headers_it_requests(client: httpx.AsyncClient, names: str) -> None:
    """Each requested header is allowed by its name, such as those for tracing."""
    asking = {"access-control-request-method": "POST", "access-control-request-headers": names}
    response = await client.options("/graphql", headers=LISTED | asking)
    allowed = response.headers["access-control-allow-headers"].split(", ")
    assert allowed == [name.strip().lower() for name in names.split(",")]


@pytest.mark.parametrize("names", ["", "a b", "a,,b", "a:b", "a\x00", "\xe4", "*, (", "a," * 1_001 + "b", "a" * 2_001])
async def test_a_malformed_header_list_is_not_repeated(client: httpx.AsyncClient, names: str) -> None:
    """For malformed or very long lists, the headers of the API are allowed."""
    asking = [(b"access-control-request-method", b"POST"), (b"access-control-request-headers", names.encode("latin-1"))]
    response = await client.options("/graphql", headers=[*asking, (b"origin", LISTED["origin"].encode())])
    assert response.headers["access-control-allow-headers"].startswith("authorization, content-type, ")
    assert response.status_code == 204


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://app.example.org.evil.example"])
async def test_a_foreign_page_gets_no_allowed_headers(client: httpx.AsyncClient, origin: str) -> None:
    """Whatever it requests."""
    response = await client.options("/graphql", headers=ASKING | {"origin": origin})
    assert response.status_code == 403
    assert not [name for name in response.headers if name.startswith("access-control")]


async def test_a_preflight_of_a_foreign_page_is_refused(client: httpx.AsyncClient) -> None:
    """The response varies by origin, for caches."""
    response = await client.options("/graphql", headers=FOREIGN | ASKING)
    assert response.status_code == 403
    assert "access-control-allow-origin" not in response.headers
    assert response.headers["vary"] == "Origin"


async def test_a_response_to_a_listed_page_may_be_read(client: httpx.AsyncClient) -> None:
    """With the headers that a client needs."""
    response = await client.post("/graphql", json={"query": "{ facts }"}, headers=LISTED)
    assert response.headers["access-control-allow-origin"] == LISTED["origin"]
    for name in ("Date", "X-Request-ID", "ETag", "RateLimit", "RateLimit-Policy", "Retry-After", "WWW-Authenticate"):
        assert name in response.headers["access-control-expose-headers"]


async def test_a_response_to_a_foreign_page_may_not_be_read(client: httpx.AsyncClient) -> None:
    """The browser does not show it to the page."""
    response = await client.post("/graphql", json={"query": "{ facts }"}, headers=FOREIGN)
    assert "access-control-allow-origin" not in response.headers


async def test_every_response_varies_by_origin(client: httpx.AsyncClient) -> None:
    """Also without an origin."""
    response = await client.post("/graphql", json={"query": "{ facts }"})
    assert response.headers["vary"] == "Origin"


@pytest.mark.parametrize(
    ("origin", "status"),
    [(each, 204) for each in VITE_ORIGINS]
    + [(f"http://localhost:{port}", 204) for port in (5173, 5174, 4173)]
    + [("http://localhost:5175", 403), ("https://localhost:5173", 403)],
)
async def test_in_development_the_address_of_vite_is_allowed(api: Api, origin: str, status: int):
    """Other addresses need ALLOWED_ORIGINS."""
    preflight = {"origin": origin, "access-control-request-method": "POST"}
    assert (await api.client.options("/graphql", headers=preflight)).status_code == status


PATHS = ["/graphql", "/graphql?query={__typename}", "/api/v1/tasks", "/healthz", "/readyz", "/schema.graphql"]
PATHS += ["/openapi.json", "/docs", "/board", "/board/assets/nothing.js", "/", "/nowhere"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("accept", ["*/*", "text/html", "text/event-stream"])
async def test_all_paths_and_statuses_follow_the_same_rule(api: Api, path: str, accept: str):
    """For every request and response, a listed page may read it and another page may not."""
    for origin, allowed in (("http://localhost:4173", "http://localhost:4173"), ("https://evil.example", None)):
        answer = await api.client.get(path, headers={"origin": origin, "accept": accept})
        preflight = await api.client.options(path, headers=ASKING | {"origin": origin})
        assert answer.headers.get("access-control-allow-origin") == allowed
        assert ("Date" in answer.headers.get("access-control-expose-headers", "")) == (allowed is not None)
        assert preflight.status_code == (403 if allowed is None else 204)
        assert "Origin" in answer.headers.get_list("vary")[0] or "Origin" in answer.headers["vary"]


def test_in_production_the_address_of_vite_is_refused():
    """Only the addresses in ALLOWED_ORIGINS are allowed."""
    named = ("https://app.example.org",)
    settings = Settings.model_construct(environment=Environment.PRODUCTION, allowed_origins=named)
    assert settings.cross_origins == named
