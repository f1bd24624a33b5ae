"""The page at `/`, the icon, and what a path without an endpoint answers."""

import re
from typing import Any

import pytest

from tests.server.pages.test_playground import BROWSER, DEMO, PRODUCTION, browsing, links


class TestLanding:
    async def test_a_browser_gets_a_page(self):
        """It describes the server, and all its links work."""
        async with browsing() as browser:
            page = await browser.get("/", headers=BROWSER)
            found = {link: (await browser.get(link, headers=BROWSER)).status_code for link in links(page.text)}

        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert "task backend" in page.text
        assert {"/board", "/graphql", "/docs", "/schema.graphql", "/icon.svg"} <= found.keys()
        assert set(found.values()) == {200}
        assert "<dd><code>/graphql</code> as a WebSocket (<code>graphql-transport-ws</code>)" in page.text

    async def test_an_unknown_path_gets_json(self):
        """The endpoints, in the form of a REST error."""
        async with browsing() as client:
            answer = await client.get("/")
            head = await client.head("/")

        assert answer.json()["detail"].startswith("This server has /graphql, ")
        assert ("accept" in answer.headers["vary"], head.status_code, head.content) == (True, 200, b"")

    @pytest.mark.parametrize(
        ("setting", "link"),
        [
            ("account_pages", "/account"),
            ("board", "/board"),
            ("playground", "/graphql"),
            ("api_docs", "/docs"),
            ("introspection", "/schema.graphql"),
        ],
    )
    async def test_disabled_pages_are_not_listed(self, setting: str, link: str):
        """They have no card."""
        settings: dict[str, Any] = {setting: False}
        async with browsing(**settings) as browser:
            page = await browser.get("/", headers=BROWSER)

        assert link not in links(page.text)

    @pytest.mark.parametrize(("settings", "are_shown"), [({}, True), (PRODUCTION, False)])
    async def test_demo_users(self, settings: dict[str, Any], are_shown: bool):
        """They are named in development, escaped, and never in production."""
        async with browsing(DEMO, **settings) as browser:
            page = (await browser.get("/", headers=BROWSER)).text

        assert ("Demo users" in page) is are_shown
        assert ("it&#x27;s &lt;&quot;quoted&quot;&gt;" in page) is are_shown

    @pytest.mark.parametrize("path", ["/", "/nowhere"])
    async def test_the_policy(self, path: str):
        """The page has no script; its one style is allowed by its digest."""
        async with browsing() as browser:
            page = await browser.get(path, headers=BROWSER)

        policy = page.headers["content-security-policy"]
        assert re.search(r"default-src 'none'; img-src 'self'; style-src 'sha256-[^']{44}';", policy)
        assert "<script" not in page.text
        assert page.text.count("<style>") == 1


class TestNotFound:
    async def test_a_browser_gets_a_page(self):
        """With the status 404, a link to the start page, and links to what there is."""
        async with browsing() as browser:
            page = await browser.get("/nowhere", headers=BROWSER)

        assert page.status_code == 404
        assert {"/", "/graphql", "/board", "/docs"} <= set(links(page.text))

    async def test_an_unknown_path_gets_json(self):
        """It lists the endpoints."""
        async with browsing() as client:
            answer = await client.get("/nowhere")

        assert answer.status_code == 404
        assert answer.json()["detail"].startswith("Not found. This server has /graphql, ")


class TestIcon:
    @pytest.mark.parametrize("path", ["/icon.svg", "/favicon.ico"])
    async def test_every_page_has_an_icon(self, path: str):
        """Browsers also request `/favicon.ico`."""
        async with browsing() as browser:
            icon = await browser.get(path)

        assert (icon.status_code, icon.headers["content-type"]) == (200, "image/svg+xml")
        assert icon.text.startswith("<svg")
