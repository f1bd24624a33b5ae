"""Media types and statuses follow GraphQL over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest

from graphql_api.execution.response import Response
from graphql_api.transports.http import content_negotiation
from graphql_api.transports.http.content_negotiation import (
    GRAPHQL,
    JSON,
    MAX_ACCEPT,
    media_type,
    retry_after,
    status_of,
    wants_events,
    wants_page,
)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, {JSON}", GRAPHQL),
        (f"{JSON}, {GRAPHQL}", GRAPHQL),
        (f"{GRAPHQL};q=0.5, {JSON}", JSON),
        (f"{GRAPHQL}; charset=utf-8, {JSON};q=0.9", GRAPHQL),
        (f"{GRAPHQL}, */*", GRAPHQL),
        ("Application/JSON", JSON),
        ("text/html, */*;q=0.8", JSON),
        (f"{JSON};q=0, */*", GRAPHQL),
        ("text/html", None),
        (f"{JSON};q=0", None),
        (f"{JSON};q=nonsense", None),
    ],
)
def test_the_client_chooses(accept: str, expected: str | None) -> None:
    """The best that both sides know, JSON without a preference, nothing if there is nothing."""
    assert media_type(accept) == expected


def test_only_a_client_that_accepts_html_gets_a_page() -> None:
    """`*/*` is what programs send."""
    assert wants_page("text/html,application/xhtml+xml,*/*;q=0.8")
    assert not wants_page("*/*")
    assert not wants_page("")


def _response(*codes: str, data: Any = ...) -> Response:
    errors = {"errors": [{"message": "", "extensions": {"code": code}} for code in codes]}
    return Response(errors if data is ... else errors | {"data": data})


@pytest.mark.parametrize(
    ("response", "status"),
    [
        (Response({"data": {"a": 1}}), 200),
        (_response("UNAVAILABLE", data={"a": None}), 200),
        (_response("UNAVAILABLE", data=None), 503),
        (_response("RATE_LIMITED", data=None), 429),
        (_response("UNAUTHENTICATED", data=None), 401),
        (_response("FORBIDDEN", data=None), 403),
        (_response("INTERNAL", data=None), 500),
        (_response("NOT_FOUND", data=None), 200),
        (_response("UNAVAILABLE", "INTERNAL", data=None), 200),
        (_response("BAD_REQUEST"), 400),
        (_response("TOO_EXPENSIVE"), 400),
        (_response("INTERNAL"), 500),
    ],
)
def test_the_status_depends_on_the_media_type(response: Response, status: int) -> None:
    """The media type of GraphQL has real statuses; plain JSON always has 200."""
    assert status_of(response, GRAPHQL) == status
    assert status_of(response, JSON) == 200


def test_retry_after_is_the_longest_wait() -> None:
    """It is absent if there are other errors."""
    limited = Response({"data": None, "errors": [{"extensions": {"code": "RATE_LIMITED", "retryAfter": 7}}]})
    assert retry_after(limited) == 7
    assert retry_after(_response("UNAVAILABLE")) == 1
    assert retry_after(_response("UNAVAILABLE", "INTERNAL")) is None
    assert retry_after(Response({"data": 1})) is None


@pytest.mark.parametrize("ask", [media_type, wants_events, wants_page])
def test_a_long_header_is_read_in_part(monkeypatch: pytest.MonkeyPatch, ask: Callable[[str], object]) -> None:
    """Its work and the cached data are bounded."""
    seen: list[str] = []
    ranges = content_negotiation._ranges

    def noted(accept: str) -> Any:
        seen.append(accept)
        return ranges(accept)

    monkeypatch.setattr(content_negotiation, "_ranges", noted)
    ask("text/x-long;q=0.1, " * 3_000 + "text/html")
    assert all(len(text) <= MAX_ACCEPT for text in seen)
