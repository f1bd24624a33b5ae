"""The pages of links in mails: what the server sends to browsers, and when."""

import re

import pytest
from graphql import parse, validate

from domain.mail import PAGES
from graphql_api.root import schema
from server.own_documents import own_documents
from tests.server.pages.test_playground import DEMO, PRODUCTION, browsing

PATHS = tuple(PAGES.values())


@pytest.mark.parametrize("path", PATHS)
async def test_a_page_runs_its_own_script_only(path: str):
    """It sends no Referer, no other site can frame it, and no script or style is in its text but its own style."""
    async with browsing(DEMO, **PRODUCTION) as browser:
        page = await browser.get(path)
        assert page.status_code == 200
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'; connect-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert page.headers["referrer-policy"] == "no-referrer"
        assert re.findall(r"<script([^>]*)>", page.text) == [' type="module" src="/links.js"']
        assert not re.search(r"\son\w+=|javascript:|style=", page.text)
        assert (await browser.post(path)).status_code == 405


async def test_the_script_removes_the_token_from_the_address():
    """And sends it to this server only, in the body of a request."""
    async with browsing() as browser:
        script = (await browser.get("/links.js")).text
    assert 'history.replaceState(null, "", location.pathname)' in script
    assert re.findall(r'fetch\("([^"]+)"', script) == ["/graphql"]


async def test_the_pages_can_be_switched_off():
    """Then a front end serves the paths."""
    async with browsing(link_pages=False) as browser:
        assert {(await browser.get(path)).status_code for path in (*PATHS, "/links.js")} == {404}


def test_the_documents_of_the_pages_are_valid_and_trusted():
    """Also a server that executes only trusted documents serves the pages."""
    found = [each for each in own_documents() if each.client == "taskriver-links"]
    assert {each.name for each in found} == {
        "Join", "JoinSignIn", "AcceptInvitation", "RequestPasswordReset", "ResetPassword", "VerifyEmail",
    }  # fmt: skip

    assert [error for each in found for error in validate(schema._schema, parse(each.text))] == []
