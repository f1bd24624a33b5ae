"""The refresh cookie comes back as it was set, and out of any other header comes nothing bad."""

from http.cookies import SimpleCookie

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.session import child_token, new_refresh_token
from graphql_api.auth.cookies import (
    MAX_COOKIE,
    AmbiguousCookie,
    clear_every_refresh_cookie,
    clear_refresh_cookie,
    refresh_cookie,
    set_refresh_cookie,
)


def sent(*cookies: bytes) -> str | None:
    return refresh_cookie([(b"host", b"x"), *((b"cookie", each) for each in cookies)])


class TestSetting:
    def test_it_is_guarded(self) -> None:
        """Scripts, other sites and plain HTTP do not get it, and it lives for a week."""
        assert set_refresh_cookie("abc", secure=True) == (
            "refresh_token=abc; Max-Age=604800; Path=/; HttpOnly; SameSite=Strict; Secure"
        )

    def test_localhost_may_do_without_tls(self) -> None:
        """Without `secure` everything but that attribute stays."""
        assert set_refresh_cookie("abc", secure=False, max_age=60) == (
            "refresh_token=abc; Max-Age=60; Path=/; HttpOnly; SameSite=Strict"
        )

    def test_clearing_overwrites_the_same_cookie(self) -> None:
        """It has the same name, path and attributes, no value and no time left."""
        assert clear_refresh_cookie(secure=True) == (
            "refresh_token=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict; Secure"
        )

    @pytest.mark.parametrize("token", ["", "a;b", "a b", "a\r\nSet-Cookie: x=y", 'a"b', "é", "abc\n"])
    def test_a_token_cannot_add_attributes_or_headers(self, token: str) -> None:
        """What would not come back as it went is a mistake of the caller."""
        with pytest.raises(ValueError):
            set_refresh_cookie(token, secure=True)

    @given(st.builds(new_refresh_token))
    def test_what_is_set_comes_back(self, token: str) -> None:
        """A browser sends back exactly the token, of a first one and of a successor."""
        for each in (token, child_token(token, b"k" * 32)):
            kept = SimpleCookie(set_refresh_cookie(each, secure=True))["refresh_token"].value
            assert sent(f"refresh_token={kept}".encode()) == each


class TestClearingAll:
    @pytest.mark.parametrize(
        ("host", "domains"),
        [
            ("api.example.org", {None, "api.example.org", "example.org"}),
            ("API.example.org:8000", {None, "api.example.org", "example.org"}),
            ("localhost:8000", {None}),
            ("127.0.0.1:8000", {None}),
            ("[::1]:8000", {None}),
            ("[::1]", {None}),
            ("", {None}),
            ("a.b;c=d.org", {None}),
            (".".join("abcdefghijk"), {None}),
        ],
    )
    def test_of_every_domain(self, host: str, domains: set[str | None]) -> None:
        """The host itself, and every domain above it for which a cookie can have been set."""
        cookies = [SimpleCookie(each)["refresh_token"] for each in clear_every_refresh_cookie(host, "/", secure=True)]
        assert {each["domain"] or None for each in cookies} == domains
        assert {(each.value, each["max-age"]) for each in cookies} == {("", "0")}

    @pytest.mark.parametrize(
        ("path", "paths"),
        [
            ("/", {"/"}),
            ("/graphql", {"/", "/graphql", "/graphql/"}),
            ("/a/b/", {"/", "/a", "/a/", "/a/b", "/a/b/"}),
            ("/a;Domain=x/b", {"/"}),
        ],
    )
    def test_of_every_path(self, path: str, paths: set[str]) -> None:
        """The path, and every path above it."""
        found = clear_every_refresh_cookie("localhost", path, secure=False)
        assert {SimpleCookie(each)["refresh_token"]["path"] for each in found} == paths


class TestReading:
    @pytest.mark.parametrize(
        ("cookies", "token"),
        [
            ([], None),
            ([b"refresh_token=abc"], "abc"),
            ([b"a=b; refresh_token=abc; c=d"], "abc"),
            ([b"a=b;refresh_token=abc"], "abc"),
            ([b"a=b", b"refresh_token=abc"], "abc"),
            ([b'refresh_token="abc"'], "abc"),
            ([b"refresh_token=abc=="], "abc=="),
            ([b" refresh_token = abc "], "abc"),
            ([b"refresh_token=abc; refresh_token=abc"], "abc"),
            ([b"refresh_token=; refresh_token=abc"], "abc"),
            ([b"refresh_token"], None),
            ([b'refresh_token=""'], None),
            ([b'refresh_token="'], '"'),
            ([b"refresh_token="], None),
            ([b"xrefresh_token=abc"], None),
            ([b"Refresh_Token=abc"], None),
            ([b";;=;==; ;\xff\x00=\xff; refresh_token=abc"], "abc"),
            ([b"refresh_token=" + b"x" * MAX_COOKIE], "x" * MAX_COOKIE),
            ([b"refresh_token=" + b"x" * (MAX_COOKIE + 1)], None),
        ],
    )
    def test_it_is_found_among_others(self, cookies: list[bytes], token: str | None) -> None:
        """Other cookies, quotes and garbage do not get in the way."""
        assert sent(*cookies) == token

    def test_the_headers_name_has_any_case(self) -> None:
        """A server that does not lower names is understood."""
        assert refresh_cookie([(b"Cookie", b"refresh_token=abc")]) == "abc"

    @pytest.mark.parametrize(
        "cookies",
        [
            [b"refresh_token=abc; refresh_token=xyz"],
            [b"refresh_token=xyz", b"a=b; refresh_token=abc"],
            [b"refresh_token=abc; refresh_token=abc; refresh_token=xyz"],
        ],
    )
    def test_several_are_refused(self, cookies: list[bytes]) -> None:
        """Nobody can say which of them is ours: another site of the domain may have set the first, or the last."""
        with pytest.raises(AmbiguousCookie):
            sent(*cookies)

    @given(st.lists(st.binary() | st.binary().map(b"refresh_token=".__add__)))
    def test_any_bytes_may_be_sent(self, cookies: list[bytes]) -> None:
        """Whatever is sent, a short text or nothing comes out, and it can be hashed."""
        try:
            token = sent(*cookies)
        except AmbiguousCookie:
            return
        assert token is None or 0 < len(token.encode("latin-1")) <= MAX_COOKIE
