"""The target of a request in absolute form (RFC 9112, 3.2.2)."""

from typing import cast

from httptools import parse_url


def with_path(target: bytes) -> bytes:
    """The target; a URI without a path gets the path "/" (RFC 9110, 4.2.3).

    Raises:
        HttpParserInvalidURLError: it is neither a path nor a URI.
    """
    if target.startswith(b"/"):
        return target
    path = cast("bytes | None", parse_url(target).path)  # its type hints do not say that it may be None
    if path is not None:
        return target
    before, question_mark, query = target.partition(b"?")
    return b"".join((before, b"/", question_mark, query))
