"""What a page of another site can have its visitor's browser send to GraphQL without a preflight changes nothing."""

import re
from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from asgi.errors import HTTPError
from graphql_api.transports.http.body import check_content_type
from tests.graphql_api.test_sessions import REFRESH, registered, signed_in
from tests.support.api import Api

SAFELISTED = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
"""What a page may send without a preflight (https://fetch.spec.whatwg.org/#cors-safelisted-request-header)."""
SENT_WITHOUT_PREFLIGHT = [
    *SAFELISTED,
    *(f"{media};charset=UTF-8" for media in SAFELISTED),
    *("TEXT/PLAIN", " text/plain ", "text/plain; application/json", "text/plain;x=application/json"),
    *("text/plain;charset=utf-8;charset=utf-8", 'multipart/form-data; boundary="application/json"'),
    None,  # of a form or a Blob without a type
    "",
]
ACCEPTED = ["*/*", "application/json", "application/graphql-response+json", "text/event-stream", "text/html"]
FROM_ANOTHER_SITE = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "cross-site", "origin": "null"},
    {"sec-fetch-site": "cross-site", "origin": "https://evil.example"},
    {},
]
MUTATION = f'{{"query": "{REFRESH}", "variables": {{"input": {{}}}}}}'.replace("\n", " ")
PIECES = st.sampled_from([*SAFELISTED, "application/json", "text", "plain", "/", ";", ",", "=", " ", "\t", "charset"])
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_ESSENCE = re.compile(rf"[\t\n\r ]*({_TOKEN}/{_TOKEN})[\t\n\r ]*(?:;.*)?", re.DOTALL)
_UNSAFE = re.compile(r'[\x00-\x08\x0a-\x1f"():<>?@\[\\\]{}\x7f]')


def needs_no_preflight(value: str) -> bool:
    """Whether a browser sends this Content-Type without asking first."""
    essence = _ESSENCE.fullmatch(value)
    return len(value) <= 128 and not _UNSAFE.search(value) and essence is not None and essence[1].lower() in SAFELISTED


def is_accepted(value: str) -> bool:
    """Whether the API takes a body of this Content-Type for a request."""
    try:
        check_content_type([(b"content-type", value.encode("latin-1"))])
    except HTTPError:
        return False
    return True


class TestContentTypes:
    @pytest.mark.parametrize("content_type", SENT_WITHOUT_PREFLIGHT)
    @pytest.mark.parametrize("path", ["/graphql", "/graphql/"])
    async def test_every_cross_site_request_is_refused(self, api: Api, path: str, content_type: str | None):
        """Whatever its headers and media types, nothing runs."""
        sent = {"content-type": content_type} if content_type is not None else {}
        for fetched, accept in product(FROM_ANOTHER_SITE, ACCEPTED):
            answer = await api.client.post(path, content=MUTATION, headers=sent | fetched | {"accept": accept})
            assert answer.status_code == (406 if accept == "text/html" else 415), (fetched, accept, answer.text)
            assert "set-cookie" not in answer.headers

    async def test_a_refresh_cookie_that_comes_along_is_not_used(self, api: Api):
        """The session is what it was: its refresh token was not exchanged."""
        cookie = (await signed_in(api, await registered(api))).http.headers["set-cookie"].split(";")[0]
        api.client.cookies.clear()
        for content_type in SAFELISTED:
            headers = {"cookie": cookie, "content-type": content_type, "sec-fetch-site": "cross-site"}
            assert (await api.client.post("/graphql", content=MUTATION, headers=headers)).status_code == 415
        refreshed = await api.ask(REFRESH, input={}, headers={"cookie": cookie})
        api.client.cookies.clear()
        again = await api.ask(REFRESH, input={}, headers={"cookie": cookie})

        assert refreshed.payload("refreshToken")["accessToken"]
        assert again.http.headers["set-cookie"].split(";")[0] == refreshed.http.headers["set-cookie"].split(";")[0]

    @example("text/plain;application/json")
    @example("application/json")
    @given(st.lists(PIECES | st.characters(max_codepoint=255), max_size=8).map("".join))
    def test_no_spelling_is_both_json_and_sent_without_a_preflight(self, value: str):
        """Browser and API read the same media type in a header."""
        assert not (is_accepted(value) and needs_no_preflight(value))

    def test_the_spellings_are_distinguished(self):
        """By the helpers of this test; otherwise the test above would prove nothing."""
        assert is_accepted("application/json; charset=utf-8")
        assert needs_no_preflight("text/plain;application/json")


class TestOtherWays:
    async def test_json_needs_a_preflight_which_is_refused(self, api: Api):
        """So does a request with a header of its own."""
        preflight = {
            "origin": "https://evil.example",
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type",
        }
        for path in ("/graphql", "/graphql/"):
            answer = await api.client.options(path, headers=preflight)
            assert answer.status_code == 403
            assert not [name for name in answer.headers if name.startswith("access-control-")]

    @pytest.mark.parametrize("accept", ACCEPTED)
    async def test_a_link_or_an_image_changes_nothing(self, api: Api, accept: str):
        """A mutation by GET is 405, or is shown in GraphiQL and does not run."""
        headers = {"accept": accept, "sec-fetch-site": "cross-site"}
        query = "mutation { logoutAll { userErrors { code } } }"
        answer = await api.client.get("/graphql", params={"query": query}, headers=headers)

        page = accept == "text/html"
        assert answer.status_code == (200 if page else 405)
        assert answer.headers["content-type"].startswith("text/html") is page
