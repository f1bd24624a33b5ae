"""Which of our media types a client wants, and which HTTP status a response has in it.

GraphQL over HTTP, section 6. In `application/json` every well-formed request is answered with 200, since older
clients and whatever stands between take any other status for a broken server. `application/graphql-response+json`
may tell the truth: 400 when nothing ran; 200 whenever there is data, however partial (the specification wants that);
and when `data` is null because of one kind of failure, the status of that kind.
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
"""Characters of `Accept` that are looked at; browsers send 150."""

_STATUS: Final = {
    FailureCode.UNAUTHENTICATED: 401,
    FailureCode.FORBIDDEN: 403,
    FailureCode.RATE_LIMITED: 429,
    FailureCode.INTERNAL: 500,
    FailureCode.UNAVAILABLE: 503,
}
_RETRY_AFTER_UNAVAILABLE: Final = 1


class _Range(NamedTuple):
    """One element of `Accept`, with its weight between 0 and 1."""

    media: str
    weight: float


def media_type(accept: str) -> str | None:
    """The media type to answer in; None when the client wants nothing of what we have.

    JSON when no preference is told. Of the two, `application/graphql-response+json` wins a tie that names it.
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
    """Whether the client names HTML, as browsers do when a person opens a page, and no JSON that it wants as much."""
    ranges = list(_ranges(_cut(accept)))
    weight = next((each.weight for each in ranges if each.media == HTML), 0.0)
    return weight > max((each.weight for each in ranges if each.media in (GRAPHQL, JSON)), default=0.0)


def wants_events(accept: str) -> bool | None:
    """Whether a client that names `text/event-stream` wants nothing else as much; None if it does not want it."""
    return _wants_events(_cut(accept))


@lru_cache(maxsize=64)
def _wants_events(accept: str) -> bool | None:
    ranges = list(_ranges(accept))
    weight = next((each.weight for each in ranges if each.media == EVENTS), 0.0)
    named = [each.weight for each in ranges if each.media in (GRAPHQL, JSON)]
    return weight > max(named, default=0.0) if weight > 0 else None


def status_of(response: Response, media: str) -> int:
    """The HTTP status of a response in a media type."""
    if media == JSON or response.body.get("data") is not None:
        return 200
    codes = response.codes
    only = codes.pop() if len(codes) == 1 else None
    return _STATUS.get(only, 200 if response.executed else 400)  # type: ignore[call-overload, no-any-return]


def retry_after(response: Response) -> int | None:
    """Seconds after which to try again, when that is all there is to say."""
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
