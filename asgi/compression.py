"""Compressed answers: whether a client takes them, and how they are made (RFC 9110, 8.4.1.3 and 12.5.3)."""

import asyncio
import zlib
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

GZIP: Final = b"gzip"
MIN_BYTES: Final = 1_024
"""Below this, an answer fits into a packet or two, and compressing it gains nothing."""
INLINE_BYTES: Final = 32 * 1024
"""So much is compressed in 0.3 ms; more than that in a thread, where it does not hold up other requests."""

_LEVEL: Final = 4
_GZIP_FORMAT: Final = 31
_MAX_FIELD: Final = 200
"""Bytes of `Accept-Encoding` that are looked at; browsers send 30."""


def takes_gzip(accept_encoding: bytes) -> bool:
    """Whether a client with this `Accept-Encoding` wants gzip at least as much as no coding at all."""
    short = accept_encoding if len(accept_encoding) <= _MAX_FIELD else accept_encoding[:_MAX_FIELD].rpartition(b",")[0]
    return _takes_gzip(short)


async def compressed(body: bytes) -> bytes:
    """The body in gzip's format; a long one is compressed in a thread."""
    return compress(body) if len(body) <= INLINE_BYTES else await asyncio.to_thread(compress, body)


def compress(body: bytes, level: int = _LEVEL) -> bytes:
    """The body in gzip's format, the same bytes for the same body."""
    compressor = zlib.compressobj(level, zlib.DEFLATED, _GZIP_FORMAT)
    return compressor.compress(body) + compressor.flush()


def gzip_tag(tag: bytes) -> bytes:
    """The entity tag of the compressed bytes, which are not those that *tag* names (RFC 9110, 8.8.3.3)."""
    return tag[:-1] + b'-gzip"'


@lru_cache(maxsize=64)
def _takes_gzip(accept_encoding: bytes) -> bool:
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
