"""Chooses the media type of a response, and its HTTP status (GraphQL over HTTP, section 6).

With `application/json`, the status of every well-formed request is 200, because older clients and proxies treat any
other status as a server failure. With `application/graphql-response+json`, the status is 400 if nothing was executed;
200 if there is data, even if it is partial (the specification requires that); and, if `data` is null and all errors
have the same code, the status for that code.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from domain.errors import FailureCode
from graphql_api.execution.response import Response

GRAPHQL: Final = "application/graphql-response+json"
JSON: Final = "application/json"
HTML: Final = "text/html"
EVENTS: Final = "text/event-stream"

MAX_ACCEPT: Final = 500
"""The maximum number of characters of `Accept` that are parsed. Browsers send about 150."""

_STATUS: Final = {
    FailureCode.UNAUTHENTICATED: 401,
    FailureCode.FORBIDDEN: 403,
    FailureCode.RATE_LIMITED: 429,
    FailureCode.INTERNAL: 500,
    FailureCode.UNAVAILABLE: 503,
}
_RETRY_AFTER_UNAVAILABLE: Final = 1


class _Range(NamedTuple):
    """One element of `Accept`, with its quality value between 0 and 1."""

    media: str
    weight: float


def media_type(accept: str) -> str | None:
    """The media type of the response; None if the client accepts none of the available types.

    Without a preference it is JSON. If both types have the same quality value, `application/graphql-response+json` wins
    if the header names it.
    """
    return _media_type(_cut(accept))


@lru_cache(maxsize=64)
def _media_type(accept: str) -> str | None:
    ranges = list(_ranges(accept))
    if not ranges:
        return JSON
    weights = {media: _weight(media, ranges) for media in (GRAPHQL, JSON)}
    named = any(each.media == GRAPHQL for each in ranges)
    best = max((JSON, GRAPHQL), key=lambda media: (weights[media], (media == GRAPHQL) == named))
    return best if weights[best] > 0 else None


def wants_page(accept: str) -> bool:
    """Whether the client prefers HTML to JSON, as a browser does when a user opens a page."""
    ranges = list(_ranges(_cut(accept)))
    weight = next((each.weight for each in ranges if each.media == HTML), 0.0)
    return weight > max((each.weight for each in ranges if each.media in (GRAPHQL, JSON)), default=0.0)


def wants_events(accept: str) -> bool | None:
    """Whether the client prefers `text/event-stream` to JSON; None if it does not accept `text/event-stream`."""
    return _wants_events(_cut(accept))


@lru_cache(maxsize=64)
def _wants_events(accept: str) -> bool | None:
    ranges = list(_ranges(accept))
    weight = next((each.weight for each in ranges if each.media == EVENTS), 0.0)
    named = [each.weight for each in ranges if each.media in (GRAPHQL, JSON)]
    return weight > max(named, default=0.0) if weight > 0 else None


def status_of(response: Response, media: str) -> int:
    """The HTTP status of a response with this media type."""
    if media == JSON or response.body.get("data") is not None:
        return 200
    codes = response.codes
    only = codes.pop() if len(codes) == 1 else None
    return _STATUS.get(only, 200 if response.executed else 400)  # type: ignore[call-overload, no-any-return]  # other codes, and None, are no keys


def retry_after(response: Response) -> int | None:
    """The value of `Retry-After` in seconds, if the client can only wait and try again; otherwise None."""
    waits: list[int] = [error["extensions"].get("retryAfter", _RETRY_AFTER_UNAVAILABLE) for error in response.errors]
    if response.codes and response.codes <= {FailureCode.RATE_LIMITED, FailureCode.UNAVAILABLE}:
        return max(waits)
    return None


def _cut(accept: str) -> str:
    return accept if len(accept) <= MAX_ACCEPT else accept[:MAX_ACCEPT].rpartition(",")[0]


def _weight(media: str, ranges: list[_Range]) -> float:
    matching = {each.media: each.weight for each in ranges}
    return next((matching[name] for name in (media, "application/*", "*/*") if name in matching), 0.0)


def _ranges(accept: str) -> Iterator[_Range]:
    for part in accept.split(","):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if media:
            yield _Range(media, _quality(parameters))


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return min(1.0, max(0.0, float(parameter[2:])))
            except ValueError:
                return 0.0
    return 1.0
