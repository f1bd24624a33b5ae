"""Requests of the server's own pages and of listed pages are allowed; similar origins are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi.origins import Origins

LISTED = Origins(["https://app.example.org", "http://localhost:5173", "https://intranet.example:443"])
NONE = Origins([])
ANY = Origins(["*"])
HOST = "127.0.0.1:8000"


class TestAllowed:
    @pytest.mark.parametrize("origins", [LISTED, NONE, ANY])
    def test_a_request_without_an_origin_is_allowed(self, origins: Origins) -> None:
        """Programs send no origin."""
        assert origins.allows(None, host=HOST, secure=False)
        assert origins.allows(None, host=None, secure=False)

    @pytest.mark.parametrize(
        ("origin", "host", "secure"),
        [
            ("http://127.0.0.1:8000", "127.0.0.1:8000", False),
            ("http://LocalHost:8000", "localhost:8000", False),
            ("http://localhost", "localhost", False),
            ("http://localhost", "localhost:80", False),
            ("https://tasks.example", "tasks.example:443", True),
            ("https://tasks.example:443", "Tasks.Example", True),
            ("http://[::1]:8000", "[::1]:8000", False),
            ("http://my_service:8000", "my_service:8000", False),
        ],
    )
    def test_the_own_page_is_allowed(self, origin: str, host: str, secure: bool) -> None:
        """It needs no listing, whatever the case and with default ports."""
        assert NONE.allows(origin, host=host, secure=secure)

    @pytest.mark.parametrize(
        "origin",
        [
            "https://app.example.org",
            "HTTPS://App.Example.org:443",
            "http://localhost:5173",
            "https://intranet.example",
        ],
    )
    def test_a_listed_page_is_allowed(self, origin: str) -> None:
        """It may be on another host."""
        assert LISTED.allows(origin, host=HOST, secure=False)
        assert LISTED.allows(origin, host=None, secure=False)

    def test_a_star_allows_any_page(self) -> None:
        """`*` allows every origin."""
        assert ANY.allows("https://any.example:1234", host=HOST, secure=False)
        assert ANY.allows("tauri://localhost", host=HOST, secure=False)


class TestRefused:
    @pytest.mark.parametrize(
        "origin",
        [
            "http://127.0.0.1:8000.evil.example",
            "http://127.0.0.1:80000",
            "http://127.0.0.1:8001",
            "http://127.0.0.1",
            "https://127.0.0.1:8000",
            "http://127.0.0.1:8000/",
            "http://127.0.0.1:8000@evil.example",
            "http://evil.example#127.0.0.1:8000",
            "http://user@127.0.0.1:8000",
            "http://127.0.0.1:8000 http://evil.example",
            "http://127.0.0.1:8000\n",
            "//127.0.0.1:8000",
            "127.0.0.1:8000",
            "http://app.example.org",
            "https://app.example.org.evil.example",
            "https://evil-app.example.org",
            "https://xapp.example.org",
            "https://app.example.org:8443",
            "http://localhost:5174",
        ],
    )
    def test_similar_origins_are_refused(self, origin: str) -> None:
        """Scheme, host and port must be equal, without anything around them."""
        assert not LISTED.allows(origin, host=HOST, secure=False)

    @pytest.mark.parametrize("origin", ["null", "", "*", "NULL", "http://", "http://*"])
    def test_an_opaque_origin_is_refused(self, origin: str) -> None:
        """A page without an origin, such as a sandboxed frame, is refused even with `*`."""
        for origins in (LISTED, NONE, ANY):
            assert not origins.allows(origin, host=HOST, secure=False)

    def test_a_foreign_page_is_refused(self) -> None:
        """Without a listing only the own page is allowed, and without a `Host` no page."""
        assert not NONE.allows("https://app.example.org", host=HOST, secure=False)
        assert not NONE.allows("http://127.0.0.1:8000", host=None, secure=False)
        assert not NONE.allows("http://127.0.0.1:8000", host="", secure=False)

    @pytest.mark.parametrize("host", ["127.0.0.1:8000/x", "a@127.0.0.1:8000", "*", "127.0.0.1:8000,evil"])
    def test_an_invalid_host_matches_no_page(self, host: str) -> None:
        """An invalid `Host` makes no page the server's own."""
        assert not NONE.allows(f"http://{host}", host=host, secure=False)

    @given(origin=st.text() | st.from_regex(r"https?://[a-z.:\[\]]*"), host=st.none() | st.text(), secure=st.booleans())
    def test_any_text_may_be_sent(self, origin: str, host: str | None, secure: bool) -> None:
        """Any headers give a result; without a `Host` it is a refusal."""
        NONE.allows(origin, host=host, secure=secure)
        assert not NONE.allows(origin, host=None, secure=secure)


class TestMistakes:
    @pytest.mark.parametrize(
        "listed", ["null", "https://app.example.org/", "https://*.example.org", "app.example.org", "", "https://a b"]
    )
    def test_origins_that_cannot_match_are_reported_at_the_start(self, listed: str) -> None:
        """The message quotes the setting."""
        with pytest.raises(ValueError, match="is not an origin"):
            Origins(["https://fine.example", listed])
