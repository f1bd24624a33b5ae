"""Entity tags: a task's version, as HTTP's conditions compare it (RFC 9110, 8.8.3 and 13.1)."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from asgi.request_context import Header
from domain.errors import BadRequest

_TAG: Final = re.compile(rb'(?P<weak>W/)?"(?P<value>[\x21\x23-\x7e\x80-\xff]*)"')
_VERSION: Final = re.compile(rb"(?P<number>[1-9][0-9]{0,8})(?:-gzip)?")
"""The tag of a compressed answer names the same version."""
_ANY: Final = b"*"
MAX_TAGS: Final = 2_000
"""Bytes of a list of tags; a task's tag has at most 20."""


class _Tag(NamedTuple):
    """One tag; of those that are not ours the version is None."""

    version: int | None
    text: bytes
    weak: bool


def etag(version: int) -> bytes:
    """The tag of a task at this version."""
    return b'"%d"' % version


def expected_versions(headers: Sequence[Header]) -> frozenset[int] | None:
    """The versions that `If-Match` allows; None if it is absent or `*`: a task that is found will do.

    The comparison is the strong one: a weak tag matches nothing, nor does one that this API did not make.

    Raises:
        BadRequest: it is neither `*` nor a list of tags, or too long.
    """
    tags = _tags(headers, b"if-match")
    if tags is None:
        return None
    return frozenset(tag.version for tag in tags if tag.version is not None and not tag.weak)


def known_tag(headers: Sequence[Header], version: int) -> bytes | None:
    """The tag by which `If-None-Match` says that the client has this version already; weak tags count.

    Raises:
        BadRequest: it is neither `*` nor a list of tags, or too long.
    """
    if _values(headers, b"if-none-match") is None:
        return None
    tags = _tags(headers, b"if-none-match")
    return etag(version) if tags is None else next((tag.text for tag in tags if tag.version == version), None)


def malformed(name: str) -> str:
    """What to say of a header *name* that holds something else."""
    return f'{name} must be * or entity tags in quotes, such as "3".'


def too_long(name: str) -> str:
    """What to say of a header *name* with too many tags."""
    return f"{name} is longer than {MAX_TAGS:,} bytes: send the entity tag of the version that you have."


def _tags(headers: Sequence[Header], name: bytes) -> list[_Tag] | None:
    """The tags of a header; None if it is absent or names any."""
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
