"""Files that never change while a server runs: compressed once, and not sent again to who has them (RFC 9110)."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources.abc import Traversable
from typing import Final

from starlette.types import Scope, Send

from asgi.compression import GZIP, MIN_BYTES, compress, gzip_tag, takes_gzip
from asgi.request_context import Header
from asgi.request_id import request_id_of
from asgi.response import HTTPResponse

FOR_EVER: Final = b"public, max-age=31536000, immutable"
"""For files whose names change with their content."""
AN_HOUR: Final = b"public, max-age=3600"
ASK_AGAIN: Final = b"no-cache"
"""It may be kept, and each time one asks whether it still holds."""

HTML: Final = b"text/html; charset=utf-8"
JSON: Final = b"application/json; charset=utf-8"
SCRIPT: Final = b"text/javascript; charset=utf-8"

_TEXT: Final = {
    ".css": b"text/css; charset=utf-8",
    ".js": SCRIPT,
    ".svg": b"image/svg+xml",
    ".ttf": b"font/ttf",
}
_PACKED_ALREADY: Final = {".png": b"image/png", ".woff2": b"font/woff2"}
_MEDIA: Final = _TEXT | _PACKED_ALREADY
_PLAIN: Final = b"text/plain; charset=utf-8"
_ALLOW: Final = (b"allow", b"GET, HEAD")
_LEVEL: Final = 6
_MAX_TAGS: Final = 2_000
"""Bytes of `If-None-Match` that are looked at; ours are of 40."""


@dataclass(frozen=True)
class StaticFile:
    """Bytes of one media type; with *pack* they travel compressed to whoever can take that."""

    body: bytes
    media: bytes
    pack: bool = True

    def answer(self, asked: Mapping[bytes, bytes], *, cache: bytes, headers: Sequence[Header] = ()) -> HTTPResponse:
        """The answer to a GET or HEAD with these headers: 200, or 304 if what the client has still holds."""
        may_pack = self.pack and len(self.body) > MIN_BYTES
        packed = may_pack and takes_gzip(asked.get(b"accept-encoding", b""))
        tag = gzip_tag(self.tag) if packed else self.tag
        about = [*headers, (b"etag", tag)]
        if may_pack:
            about.append((b"vary", b"accept-encoding"))
        if _holds(tag, asked.get(b"if-none-match", b"")):
            return HTTPResponse(304, headers=about, cache=cache)
        if packed:
            about.append((b"content-encoding", GZIP))
        return HTTPResponse(200, self.packed if packed else self.body, self.media, about, cache, compressible=False)

    @cached_property
    def tag(self) -> bytes:
        """The entity tag of the bytes as they are."""
        return b'"%s"' % hashlib.sha256(self.body).hexdigest()[:24].encode("ascii")

    @cached_property
    def packed(self) -> bytes:
        """The bytes, compressed; takes some 30 ms per megabyte, once."""
        return compress(self.body, _LEVEL)


class StaticFolder:
    """The files of one folder of package data, by their names; those of unknown kinds are not there."""

    def __init__(self, folder: Traversable) -> None:
        # What is there is known from the beginning: no name that a client sends is ever looked for on the disk.
        self._paths = {path.name: path for path in folder.iterdir() if _suffix(path.name) in _MEDIA}
        self._loaded: dict[str, StaticFile] = {}

    def find(self, name: str) -> StaticFile | None:
        """The file of that name; reads it, the first time."""
        if name not in self._loaded:
            path = self._paths.get(name)
            if path is None:
                return None
            suffix = _suffix(name)
            self._loaded[name] = StaticFile(path.read_bytes(), _MEDIA[suffix], pack=suffix in _TEXT)
        return self._loaded[name]


async def serve(scope: Scope, send: Send, find: Callable[[Mapping[bytes, bytes]], HTTPResponse | None]) -> None:
    """Answer one request with what *find*, in a thread of its own, makes of its headers; None is 404."""
    if scope["method"] in ("GET", "HEAD"):
        answer = await asyncio.to_thread(find, dict(scope["headers"])) or HTTPResponse(404, b"Not Found", _PLAIN)
    else:
        answer = HTTPResponse(405, b"Method Not Allowed", _PLAIN, [_ALLOW])
    await answer.send(send, request_id=request_id_of(dict(scope["headers"])), with_body=scope["method"] != "HEAD")


def _suffix(name: str) -> str:
    return "." + name.rpartition(".")[2]


def _holds(tag: bytes, if_none_match: bytes) -> bool:
    # Weak comparison (RFC 9110, 13.1.2): a proxy that compressed may have marked a tag as weak.
    held = {part.strip().removeprefix(b"W/") for part in if_none_match[:_MAX_TAGS].split(b",")}
    return bool(held & {tag, b"*"})
