"""GraphiQL at `/graphql`: what the server sends to browsers, and when."""

import gzip
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

import server.pages
from server.app import Server
from server.pages.demo_users import DemoUsers
from tests.support.api_server import settings_of

BUILT = Path(server.pages.__file__).parent / "graphiql"
BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
DEMO = DemoUsers(("alice", "bob"), 'it\'s <"quoted">')
PRODUCTION: dict[str, Any] = {
    "environment": "production",
    "secret_keys": "1:a-secret-of-sufficient-length-for-hmac",
    "bcrypt_rounds": 12,
}


@asynccontextmanager
async def browsing(demo: DemoUsers | None = None, **settings: object) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server with these settings, which needs no database: its pages ask for none."""
    server = Server(settings_of("postgresql+asyncpg://localhost/none", "redis://localhost:1", **settings), demo=demo)
    transport = httpx.ASGITransport(app=server.asgi())
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        yield client


@pytest.fixture
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server in development."""
    async with browsing() as client:
        yield client


def links(page: str) -> list[str]:
    """What a page loads."""
    return re.findall(r'(?:src|href)="([^"]+)"', page)


def settings_in(page: str) -> dict[str, Any]:
    """The configuration in the page."""
    found = re.search(r'<meta name="taskriver" content="([^"]*)">', page)
    assert found is not None
    config: dict[str, Any] = json.loads(unescape(found[1]))
    return config


class TestTheDocument:
    async def test_a_browser_gets_graphiql(self, browser: httpx.AsyncClient):
        """In development, with all files from this server and their types."""
        page = await browser.get("/graphql", headers=BROWSER)
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert len(links(page.text)) >= 5
        for link in links(page.text):
            assert link.startswith("/graphql/assets/")
            assert (await browser.get(link)).status_code == 200

    async def test_the_policy_is_strict(self, browser: httpx.AsyncClient):
        """Only local scripts, nothing from other hosts, no frames; inline styles and images are allowed."""
        headers = (await browser.get("/graphql", headers=BROWSER)).headers
        policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
        assert policy.pop("style-src") == "'self' 'unsafe-inline'"
        assert policy.pop("img-src") == "'self' data:"
        assert policy.pop("default-src") == policy.pop("frame-ancestors") == "'none'"
        assert policy.pop("base-uri") == policy.pop("form-action") == "'none'"
        assert set(policy.values()) == {"'self'"}
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"

    async def test_the_page_has_no_inline_code(self, browser: httpx.AsyncClient):
        """Neither scripts, styles nor handlers."""
        page = (await browser.get("/graphql", headers=BROWSER)).text
        assert re.findall(r"<script(?![^>]* src=)", page) == []
        assert "<style" not in page
        assert re.findall(r"\son\w+=", page) == []

    async def test_the_page_is_revalidated(self, browser: httpx.AsyncClient):
        """A browser gets 304; a program never gets it from a cache."""
        first = await browser.get("/graphql", headers=BROWSER)
        again = await browser.get("/graphql", headers=BROWSER | {"if-none-match": first.headers["etag"]})
        assert (first.headers["cache-control"], again.status_code, again.content) == ("no-cache", 304, b"")
        assert "accept" in first.headers["vary"].split(", ")

    async def test_programs_are_answered_as_before(self, browser: httpx.AsyncClient):
        """A client that does not prefer HTML gets GraphQL's answers."""
        assert (await browser.get("/graphql")).status_code == 400
        for accept in ("*/*", "application/json", "application/graphql-response+json, text/html;q=0.5"):
            asked = await browser.get("/graphql", params={"query": "{ __typename }"}, headers={"accept": accept})
            assert asked.json() == {"data": {"__typename": "Query"}}

    async def test_a_link_with_an_operation_opens_the_page(self, browser: httpx.AsyncClient):
        """A browser that follows a shared link gets GraphiQL, which runs nothing by itself."""
        operation = {"query": "query Mine($n: Int) { __typename }", "variables": '{"n": 1}', "operationName": "Mine"}
        page = await browser.get("/graphql", params=operation, headers=BROWSER)
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert '<div id="root">' in page.text


class TestDemoUsers:
    async def test_the_page_has_the_demo_users(self):
        """Names and password reach the scripts unchanged, with any characters."""
        async with browsing(DEMO) as browser:
            page = (await browser.get("/graphql", headers=BROWSER)).text
        assert settings_in(page)["demo"] == {"names": ["alice", "bob"], "password": DEMO.password}

    async def test_where_there_are_none_the_page_knows_of_none(self, browser: httpx.AsyncClient):
        """A server without demo data offers no buttons."""
        assert "demo" not in settings_in((await browser.get("/graphql", headers=BROWSER)).text)

    async def test_production_has_no_demo_users(self):
        """Even if the application is configured with them."""
        async with browsing(DEMO, **PRODUCTION, playground=True) as browser:
            page = await browser.get("/graphql", headers=BROWSER)
        assert "demo" not in settings_in(page.text)


class TestTheLinks:
    async def test_the_page_links_to_the_other_pages(self, browser: httpx.AsyncClient):
        """The board and the description of the REST API exist at their links."""
        links = settings_in((await browser.get("/graphql", headers=BROWSER)).text)["links"]
        assert links.keys() == {"Board", "Account", "REST API", "Schema"}
        for path in links.values():
            assert (await browser.get(path, headers=BROWSER)).status_code == 200

    async def test_the_page_links_to_enabled_pages_only(self):
        """Disabled ones have no link."""
        async with browsing(board=False, account_pages=False, api_docs=False, introspection=False) as browser:
            assert settings_in((await browser.get("/graphql", headers=BROWSER)).text) == {}


class TestTheFiles:
    async def test_files_are_cached_without_expiry(self, browser: httpx.AsyncClient):
        """Their names change with their content; unknown types are not served."""
        for path in (BUILT / "assets").iterdir():
            answer = await browser.get(f"/graphql/assets/{path.name}", headers={"accept-encoding": "identity"})
            assert (answer.status_code, answer.content) == (200, path.read_bytes())
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["content-type"].split("/")[0] in {"text", "image", "font"}
            assert "content-security-policy" in answer.headers

    async def test_files_are_compressed(self, browser: httpx.AsyncClient):
        """With gzip and a separate tag; HEAD has the same length."""
        name = max((BUILT / "assets").glob("*.js"), key=lambda path: path.stat().st_size).name
        async with browser.stream("GET", f"/graphql/assets/{name}", headers={"accept-encoding": "gzip"}) as packed:
            body = b"".join([part async for part in packed.aiter_raw()])
        head = await browser.head(f"/graphql/assets/{name}", headers={"accept-encoding": "gzip"})
        plain = await browser.get(f"/graphql/assets/{name}", headers={"accept-encoding": "gzip;q=0, identity"})
        assert gzip.decompress(body) == plain.content
        assert (packed.headers["content-encoding"], head.headers["content-length"]) == ("gzip", str(len(body)))
        assert packed.headers["etag"] != plain.headers["etag"]
        assert "content-encoding" not in plain.headers

    async def test_a_current_tag_is_304(self, browser: httpx.AsyncClient):
        """Among others and in weak form, too; another tag gets the file."""
        path = links((await browser.get("/graphql", headers=BROWSER)).text)[0]
        tag = (await browser.get(path)).headers["etag"]
        for held in (tag, f'"other", {tag}', f"W/{tag}", "*"):
            assert (await browser.get(path, headers={"if-none-match": held})).status_code == 304
        assert (await browser.get(path, headers={"if-none-match": '"other"'})).status_code == 200

    @pytest.mark.parametrize(
        "name",
        ["", "none.js", "..%2Findex.html", "../LICENSES.md", "%2e%2e/page.py", "%2Fetc%2Fpasswd", "a%00b.js", "."],
    )
    async def test_only_files_of_the_page_are_served(self, browser: httpx.AsyncClient, name: str):
        """Other names are 404 and not searched on the disk."""
        assert (await browser.get(f"/graphql/assets/{name}")).status_code == 404

    async def test_files_are_read_only(self, browser: httpx.AsyncClient):
        """Other methods are 405, with the allowed ones."""
        path = links((await browser.get("/graphql", headers=BROWSER)).text)[0]
        answer = await browser.post(path)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


class TestTheSwitch:
    async def test_production_has_none(self):
        """A browser finds the plain page without a script, and no file of GraphiQL."""
        async with browsing(**PRODUCTION) as browser:
            page = await browser.get("/graphql", headers=BROWSER)
            files = [await browser.get(f"/graphql/assets/{path.name}") for path in (BUILT / "assets").iterdir()]
        assert "Send one operation as JSON by POST" in page.text
        assert "<script" not in page.text
        assert {answer.status_code for answer in files} == {404}

    async def test_it_can_be_enabled_in_production(self):
        """With PLAYGROUND=true, and a policy as strict as in development."""
        async with browsing(**PRODUCTION, playground=True) as there, browsing() as here:
            pages = [await each.get("/graphql", headers=BROWSER) for each in (there, here)]
        assert '<div id="root">' in pages[0].text
        assert len({page.headers["content-security-policy"] for page in pages}) == 1

    async def test_it_can_be_disabled_in_development(self):
        """With PLAYGROUND=false there is the plain page."""
        async with browsing(playground=False) as browser:
            assert "Send one operation as JSON by POST" in (await browser.get("/graphql", headers=BROWSER)).text


class TestTheSchemaAsText:
    async def test_the_schema_is_served(self, browser: httpx.AsyncClient):
        """`/schema.graphql` is the committed file with the permissions."""
        answer = await browser.get("/schema.graphql")
        assert answer.text == (Path(__file__).parents[3] / "schema.graphql").read_text()
        assert "me: User! @signedIn" in answer.text

    async def test_the_schema_follows_introspection(self):
        """With INTROSPECTION=false it is not served."""
        async with browsing(introspection=False) as browser:
            assert (await browser.get("/schema.graphql")).status_code == 404
