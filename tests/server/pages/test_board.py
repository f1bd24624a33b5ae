"""The board at `/board`: what the server sends to browsers, and when."""

from tests.server.pages.test_playground import DEMO, PRODUCTION, browsing, links, settings_in

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


async def test_development_has_a_board():
    """The document and all its files are served, with a strict policy."""
    async with browsing(DEMO) as browser:
        page = await browser.get("/board")
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert (page.headers["content-security-policy"], page.headers["cache-control"]) == (POLICY, "no-cache")
        settings = settings_in(page.text)
        assert settings["demo"] == {"names": ["alice", "bob"], "password": DEMO.password}
        assert settings["links"] == {
            "Account": "/account",
            "GraphiQL": "/graphql",
            "REST API": "/docs",
            "Schema": "/schema.graphql",
        }
        assert len(links(page.text)) >= 3
        for link in links(page.text):
            assert link.startswith("/board/assets/")
            assert (await browser.get(link)).headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_a_slash_too_many_does_no_harm():
    """`/board/` leads to the page; other names below it are not there, and nothing can be sent to it."""
    async with browsing() as browser:
        assert (await browser.get("/board/", follow_redirects=True)).status_code == 200
        assert (await browser.get("/board/assets/index.html")).status_code == 404
        assert (await browser.post("/board")).status_code == 405


async def test_production_has_no_board_by_default():
    """BOARD=true enables it without demo users; BOARD=false disables it everywhere."""
    async with browsing(**PRODUCTION) as browser:
        assert (await browser.get("/board")).status_code == 404
    async with browsing(DEMO, **PRODUCTION, board=True) as browser:
        assert "demo" not in settings_in((await browser.get("/board")).text)
    async with browsing(board=False) as browser:
        assert (await browser.get("/board")).status_code == 404


async def test_the_board_links_to_enabled_pages():
    """Not to disabled ones."""
    async with browsing(account_pages=False, playground=False, api_docs=False, introspection=False) as browser:
        assert settings_in((await browser.get("/board")).text) == {}
