"""Entity tags made of a task's version, and the conditional headers that compare them (RFC 9110, 8.8.3 and 13.1)."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from asgi.request_context import Header
from domain.errors import BadRequest

_TAG: Final = re.compile(rb'(?P<weak>W/)?"(?P<value>[\x21\x23-\x7e\x80-\xff]*)"')
_VERSION: Final = re.compile(rb"(?P<number>[1-9][0-9]{0,8})(?:-gzip)?")
"""The tag of a compressed response has a suffix and means the same version."""
_ANY: Final = b"*"
MAX_TAGS: Final = 2_000
"""Bytes of a list of tags; a task's tag has at most 20."""


class _Tag(NamedTuple):
    """One tag. The version is None if the tag was not made by this API."""

    version: int | None
    text: bytes
    weak: bool


def etag(version: int) -> bytes:
    """The tag of a version of a task."""
    return b'"%d"' % version


def expected_versions(headers: Sequence[Header]) -> frozenset[int] | None:
    """The versions that `If-Match` allows; None if the header is absent or `*`, which allow any version.

    The comparison is strong: a weak tag matches nothing, and neither does a tag that this API did not make.

    Raises:
        BadRequest: the header is neither `*` nor a list of tags, or it is too long.
    """
    tags = _tags(headers, b"if-match")
    if tags is None:
        return None
    return frozenset(tag.version for tag in tags if tag.version is not None and not tag.weak)


def known_tag(headers: Sequence[Header], version: int) -> bytes | None:
    """The tag in `If-None-Match` that matches this version; None if no tag matches. Weak tags match, too.

    Raises:
        BadRequest: the header is neither `*` nor a list of tags, or it is too long.
    """
    if _values(headers, b"if-none-match") is None:
        return None
    tags = _tags(headers, b"if-none-match")
    return etag(version) if tags is None else next((tag.text for tag in tags if tag.version == version), None)


def malformed(name: str) -> str:
    """The message for a header *name* that is not a list of tags."""
    return f'{name} must be * or entity tags in quotes, such as "3".'


def too_long(name: str) -> str:
    """The message for a header *name* with too many tags."""
    return f"{name} is longer than {MAX_TAGS:,} bytes: send the entity tag of the version that you have."


def _tags(headers: Sequence[Header], name: bytes) -> list[_Tag] | None:
    """The tags of a header; None if it is absent or `*`."""
    value = _values(headers, name)
    if value is None or value == _ANY:
        return None
    if len(value) > MAX_TAGS:
        raise BadRequest(too_long(name.decode("ascii").title()))
    if not value or _TAG.sub(b"", value).strip(b" \t,"):
        raise BadRequest(malformed(name.decode("ascii").title()))
    return [_tag(match) for match in _TAG.finditer(value)]


def _values(headers: Sequence[Header], name: bytes) -> bytes | None:
    found = [value for key, value in headers if key == name]
    return b",".join(found).strip(b" \t") if found else None


def _tag(match: re.Match[bytes]) -> _Tag:
    value = match["value"]
    version = _VERSION.fullmatch(value)
    return _Tag(int(version["number"]) if version else None, b'"%b"' % value, weak=match["weak"] is not None)
