"""Static files that do not change while the server runs: compressed once, with entity tags (RFC 9110)."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources.abc import Traversable
from typing import Final

from starlette.types import Scope, Send

from asgi.compression import GZIP, MIN_BYTES, accepts_gzip, compress, gzip_etag
from asgi.request_context import Header
from asgi.request_id import request_id_of
from asgi.response import HTTPResponse

IMMUTABLE: Final = b"public, max-age=31536000, immutable"
"""For files whose names change with their content."""
ONE_HOUR: Final = b"public, max-age=3600"
REVALIDATE: Final = b"no-cache"
"""The client may keep the file, but asks each time whether it has changed."""

HTML: Final = b"text/html; charset=utf-8"
JSON: Final = b"application/json; charset=utf-8"
SCRIPT: Final = b"text/javascript; charset=utf-8"

_TEXT_MEDIA: Final = {
    ".css": b"text/css; charset=utf-8",
    ".js": SCRIPT,
    ".svg": b"image/svg+xml",
    ".ttf": b"font/ttf",
}
_COMPRESSED_MEDIA: Final = {".png": b"image/png", ".woff2": b"font/woff2"}
_MEDIA_TYPES: Final = _TEXT_MEDIA | _COMPRESSED_MEDIA
_PLAIN: Final = b"text/plain; charset=utf-8"
_ALLOW: Final = (b"allow", b"GET, HEAD")
_LEVEL: Final = 6
_MAX_TAGS: Final = 2_000
"""Bytes of `If-None-Match` that are read; tags of this server have about 40."""


@dataclass(frozen=True)
class StaticFile:
    """The bytes of one file; with *compressible*, clients that accept gzip get them compressed."""

    body: bytes
    media_type: bytes
    compressible: bool = True

    def response(
        self, request_headers: Mapping[bytes, bytes], *, cache: bytes, headers: Sequence[Header] = ()
    ) -> HTTPResponse:
        """The response to a GET or HEAD with these headers: 200, or 304 if the client has the current version."""
        may_compress = self.compressible and len(self.body) > MIN_BYTES
        compressed = may_compress and accepts_gzip(request_headers.get(b"accept-encoding", b""))
        etag = gzip_etag(self.etag) if compressed else self.etag
        response_headers = [*headers, (b"etag", etag)]
        if may_compress:
            response_headers.append((b"vary", b"accept-encoding"))
        if _matches(etag, request_headers.get(b"if-none-match", b"")):
            return HTTPResponse(304, headers=response_headers, cache=cache)
        if compressed:
            response_headers.append((b"content-encoding", GZIP))
        return HTTPResponse(
            200,
            self.compressed if compressed else self.body,
            self.media_type,
            response_headers,
            cache,
            compressible=False,
        )

    @cached_property
    def etag(self) -> bytes:
        """The entity tag of the uncompressed bytes."""
        return b'"%s"' % hashlib.sha256(self.body).hexdigest()[:24].encode("ascii")

    @cached_property
    def compressed(self) -> bytes:
        """The compressed bytes; computed once, about 30 ms per megabyte."""
        return compress(self.body, _LEVEL)


class StaticFolder:
    """The files of one folder of package data, by name; files of unknown types are left out."""

    def __init__(self, folder: Traversable) -> None:
        # The folder is listed once, so a name that a client sends is never looked up on the disk.
        self._paths = {path.name: path for path in folder.iterdir() if _suffix(path.name) in _MEDIA_TYPES}
        self._loaded: dict[str, StaticFile] = {}

    def find(self, name: str) -> StaticFile | None:
        """The file with that name, or None; it is read at the first call."""
        if name not in self._loaded:
            path = self._paths.get(name)
            if path is None:
                return None
            suffix = _suffix(name)
            self._loaded[name] = StaticFile(path.read_bytes(), _MEDIA_TYPES[suffix], compressible=suffix in _TEXT_MEDIA)
        return self._loaded[name]


async def serve(scope: Scope, send: Send, find: Callable[[Mapping[bytes, bytes]], HTTPResponse | None]) -> None:
    """Answer one request with the result of *find* for its headers, which runs in a thread; None is 404."""
    if scope["method"] in ("GET", "HEAD"):
        response = await asyncio.to_thread(find, dict(scope["headers"])) or HTTPResponse(404, b"Not Found", _PLAIN)
    else:
        response = HTTPResponse(405, b"Method Not Allowed", _PLAIN, [_ALLOW])
    await response.send(send, request_id=request_id_of(dict(scope["headers"])), with_body=scope["method"] != "HEAD")


def _suffix(name: str) -> str:
    return "." + name.rpartition(".")[2]


def _matches(etag: bytes, if_none_match: bytes) -> bool:
    # Weak comparison (RFC 9110, 13.1.2): a proxy that compresses may mark a tag as weak.
    tags = {part.strip().removeprefix(b"W/") for part in if_none_match[:_MAX_TAGS].split(b",")}
    return bool(tags & {etag, b"*"})
