"""Response compression: whether a client accepts gzip, and how bodies are compressed (RFC 9110, 8.4.1.3 and 12.5.3)."""

import asyncio
import zlib
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

GZIP: Final = b"gzip"
MIN_BYTES: Final = 1_024
"""A smaller response fits into one or two packets, so compression saves nothing."""
INLINE_BYTES: Final = 32 * 1024
"""This much is compressed in 0.3 ms. More is compressed in a thread, so that other requests are not delayed."""

_LEVEL: Final = 4
_GZIP_FORMAT: Final = 31
_MAX_FIELD: Final = 200
"""Bytes of `Accept-Encoding` that are read; browsers send about 30."""


def accepts_gzip(accept_encoding: bytes) -> bool:
    """Whether a client with this `Accept-Encoding` prefers gzip to no coding, or accepts both equally."""
    short = accept_encoding if len(accept_encoding) <= _MAX_FIELD else accept_encoding[:_MAX_FIELD].rpartition(b",")[0]
    return _accepts_gzip(short)


async def compressed(body: bytes) -> bytes:
    """The body in gzip format; a long one is compressed in a thread."""
    return compress(body) if len(body) <= INLINE_BYTES else await asyncio.to_thread(compress, body)


def compress(body: bytes, level: int = _LEVEL) -> bytes:
    """The body in gzip format; the same body always gives the same bytes."""
    compressor = zlib.compressobj(level, zlib.DEFLATED, _GZIP_FORMAT)
    return compressor.compress(body) + compressor.flush()


def gzip_etag(etag: bytes) -> bytes:
    """The entity tag of the compressed bytes, which must differ from *etag* (RFC 9110, 8.8.3.3)."""
    return etag[:-1] + b'-gzip"'


@lru_cache(maxsize=64)
def _accepts_gzip(accept_encoding: bytes) -> bool:
    weights = dict(_weights(accept_encoding.lower()))
    weight = next((weights[name] for name in (GZIP, b"x-gzip", b"*") if name in weights), 0.0)
    return weight > 0 and weight >= weights.get(b"identity", 0.0)


def _weights(accept_encoding: bytes) -> Iterator[tuple[bytes, float]]:
    for part in accept_encoding.split(b","):
        coding, _, parameter = part.partition(b";")
        name, _, value = parameter.strip().partition(b"=")
        yield coding.strip(), _weight(value.strip()) if name.strip() == b"q" else 1.0


def _weight(value: bytes) -> float:
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
