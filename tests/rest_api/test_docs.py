"""`/docs`: a page of local files with a strict policy."""

import re
from pathlib import Path

import httpx

import rest_api
from server.app import Server
from tests.rest_api.support import Rest
from tests.support.api_server import settings_of

FOLDER = Path(rest_api.__file__).parent / "swagger-ui"


async def test_the_page_loads_only_its_own_files(rest: Rest):
    """Every script, style and icon of the page is served here, and nothing is written into the page itself."""
    page = await rest.client.get("/docs")
    assert page.status_code == 200
    links = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(links) == 4
    assert "<script>" not in page.text
    for link in links:
        response = await rest.client.get(link)
        assert (response.status_code, len(response.content) > 100) == (200, True)
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["cache-control"] == "public, max-age=3600"


async def test_the_policy_lets_nothing_in_from_elsewhere(rest: Rest):
    """No inline script, no foreign host, no frame around it."""
    policy = (await rest.client.get("/docs")).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self'" in policy
    assert "http" not in policy
    assert "unsafe-eval" not in policy


async def test_only_files_of_the_page_are_served(rest: Rest):
    """Other names are not searched on the disk."""
    for name in ("LICENSE", "..%2Fapi.py", "%2Fetc%2Fpasswd", "docs.py", "VERSION"):
        assert (await rest.client.get(f"/docs/{name}")).status_code == 404
    assert (await rest.client.post("/docs")).status_code == 405


async def test_head_is_answered(rest: Rest):
    """The page, its files and the description answer HEAD with their lengths."""
    for path in ("/docs", "/docs/swagger-ui.css", "/openapi.json"):
        got, head = await rest.client.get(path), await rest.client.head(path)
        assert (head.content, head.headers["content-length"]) == (b"", got.headers["content-length"])


async def test_it_can_be_disabled(rest: Rest):
    """With API_DOCS=false page and description are gone; the endpoints stay."""
    settings = settings_of("postgresql://localhost/none", "redis://localhost:1", api_docs=False)
    transport = httpx.ASGITransport(app=Server(settings).asgi())
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        for path in ("/docs", "/openapi.json", "/docs/start.js"):
            assert (await client.get(path)).status_code == 404
        assert (await client.get("/api/v1/tasks/")).status_code == 401


def test_the_files_are_those_that_the_script_fetches():
    """The vendored files have their licence, and the version that the script pins."""
    script = (Path(__file__).parents[2] / "tools/vendor-swagger-ui").read_text()
    assert f"VERSION={(FOLDER / 'VERSION').read_text().strip()}\n" in script
    assert {"LICENSE", "NOTICE", "swagger-ui-bundle.js.LICENSE.txt"} <= {path.name for path in FOLDER.iterdir()}
    assert not any(b"sourceMappingURL=" in path.read_bytes()[-500:] for path in FOLDER.glob("swagger-ui*.*s"))
