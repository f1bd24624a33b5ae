"""The pages `/account` and `/admin`: what the server sends to browsers, and when."""

import pytest

from server.pages.account import PATHS
from tests.server.pages.test_board import POLICY
from tests.server.pages.test_playground import DEMO, PRODUCTION, browsing, links, settings_in


@pytest.mark.parametrize("path", PATHS)
async def test_every_path_has_the_document(path: str):
    """With a strict policy: no other site can frame it; and all its files are served."""
    async with browsing(DEMO) as browser:
        page = await browser.get(path)
        assert (page.status_code, page.headers["content-security-policy"]) == (200, POLICY)
        assert settings_in(page.text)["demo"] == {"names": ["alice", "bob"], "password": DEMO.password}
        assert settings_in(page.text)["links"]["Board"] == "/board"
        for link in links(page.text):
            assert link.startswith("/account/assets/")
            assert (await browser.get(link)).headers["cache-control"] == "public, max-age=31536000, immutable"
        assert (await browser.post(path)).status_code == 405


async def test_other_paths_below_are_not_there():
    """Neither unknown pages nor files."""
    async with browsing() as browser:
        assert (await browser.get("/account/nothing")).status_code == 404
        assert (await browser.get("/account/assets/index.html")).status_code == 404


async def test_production_has_the_pages_unless_they_are_disabled():
    """Without demo users."""
    async with browsing(DEMO, **PRODUCTION) as browser:
        page = await browser.get("/account")
        assert (page.status_code, "demo" in settings_in(page.text)) == (200, False)
    async with browsing(account_pages=False) as browser:
        assert {(await browser.get(path)).status_code for path in PATHS} == {404}
        assert "Account" not in settings_in((await browser.get("/board")).text)["links"]
