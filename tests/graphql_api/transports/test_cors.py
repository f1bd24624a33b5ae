"""Pages of listed origins may read answers, and no others."""

import httpx
import pytest

from graphql_api.settings import VITE_ORIGINS, Environment, Settings
from tests.support.api import Api

LISTED = {"origin": "https://app.example.org"}
FOREIGN = {"origin": "https://evil.example"}
ASKING = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}


async def test_a_preflight_of_a_listed_page_is_granted(client: httpx.AsyncClient) -> None:
    """With credentials, and the headers that the API knows."""
    response = await client.options("/graphql", headers=LISTED | ASKING)
    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] == LISTED["origin"]
    assert response.headers["access-control-allow-credentials"] == "true"
    for name in ("authorization", "content-type", "idempotency-key", "if-match", "x-request-id"):
        assert name in response.headers["access-control-allow-headers"]


async def test_a_preflight_of_a_foreign_page_is_not(client: httpx.AsyncClient) -> None:
    """And the answer depends on the origin, which caches must know."""
    response = await client.options("/graphql", headers=FOREIGN | ASKING)
    assert response.status_code == 403
    assert "access-control-allow-origin" not in response.headers
    assert response.headers["vary"] == "Origin"


async def test_an_answer_to_a_listed_page_may_be_read(client: httpx.AsyncClient) -> None:
    """With the headers that a client needs."""
    response = await client.post("/graphql", json={"query": "{ facts }"}, headers=LISTED)
    assert response.headers["access-control-allow-origin"] == LISTED["origin"]
    for name in ("X-Request-ID", "ETag", "Retry-After"):
        assert name in response.headers["access-control-expose-headers"]


async def test_an_answer_to_a_foreign_page_may_not(client: httpx.AsyncClient) -> None:
    """The browser keeps it from the page."""
    response = await client.post("/graphql", json={"query": "{ facts }"}, headers=FOREIGN)
    assert "access-control-allow-origin" not in response.headers


async def test_every_answer_varies_by_origin(client: httpx.AsyncClient) -> None:
    """Also the one to a client that has none."""
    response = await client.post("/graphql", json={"query": "{ facts }"})
    assert response.headers["vary"] == "Origin"


@pytest.mark.parametrize(
    ("origin", "status"), [(each, 204) for each in VITE_ORIGINS] + [("http://localhost:5174", 403)]
)
async def test_in_development_vites_own_address_may_call(api: Api, origin: str, status: int):
    """Who tries a page with vite names no origin; other addresses are named in ALLOWED_ORIGINS."""
    preflight = {"origin": origin, "access-control-request-method": "POST"}
    assert (await api.client.options("/graphql", headers=preflight)).status_code == status


def test_in_production_it_may_not():
    """There only those that are named may."""
    named = ("https://app.example.org",)
    settings = Settings.model_construct(environment=Environment.PRODUCTION, allowed_origins=named)
    assert settings.cross_origins == named
