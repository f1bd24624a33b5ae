"""The refresh cookie is read as it was set, and other headers give no wrong value."""

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
    def test_the_cookie_is_protected(self) -> None:
        """Scripts, other sites and plain HTTP do not get it; it lasts for a week."""
        assert set_refresh_cookie("abc", secure=True) == (
            "refresh_token=abc; Max-Age=604800; Path=/; HttpOnly; SameSite=Strict; Secure"
        )

    def test_localhost_needs_no_tls(self) -> None:
        """Without `secure` only that attribute is missing."""
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
        """A value that cannot be read back is an error of the caller."""
        with pytest.raises(ValueError):
            set_refresh_cookie(token, secure=True)

    @given(st.builds(new_refresh_token))
    def test_a_cookie_is_read_as_it_was_set(self, token: str) -> None:
        """For a first token and for a successor."""
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
    def test_the_cookie_is_cleared_for_every_domain(self, host: str, domains: set[str | None]) -> None:
        """The host, and every domain above it for which a cookie can be set."""
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
    def test_the_cookie_is_cleared_for_every_path(self, path: str, paths: set[str]) -> None:
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
    def test_the_cookie_is_found_among_others(self, cookies: list[bytes], token: str | None) -> None:
        """With other cookies, quotes and invalid parts."""
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
    def test_several_cookies_are_refused(self, cookies: list[bytes]) -> None:
        """Another site of the domain may have set one of them."""
        with pytest.raises(AmbiguousCookie):
            sent(*cookies)

    @given(st.lists(st.binary() | st.binary().map(b"refresh_token=".__add__)))
    def test_any_bytes_may_be_sent(self, cookies: list[bytes]) -> None:
        """The result is a short text that can be hashed, or nothing."""
        try:
            token = sent(*cookies)
        except AmbiguousCookie:
            return
        assert token is None or 0 < len(token.encode("latin-1")) <= MAX_COOKIE
