"""The JSON of a response that may be long. It is encoded in parts, so that it does not block the event loop."""

import asyncio
from collections.abc import Iterator
from typing import Any, Final

import orjson

from domain.errors import TooExpensive
from graphql_api.execution.response import Response

MAX_BYTES: Final = 16 * 1024 * 1024
"""The length of a response with many long texts. Ordinary pages of 100 tasks have less than a hundredth of it."""
PART_BYTES: Final = 1024 * 1024
"""After this much, other work of the event loop continues."""
_ADVICE: Final = (
    f"The response is longer than {MAX_BYTES // 1024 // 1024} MB. Request smaller pages (`first` or `last`), or select "
    "long texts such as `description` once."
)


async def encode_in_parts(response: Response) -> None:
    """Encode the body, one item of a list after the other.

    Raises:
        TooExpensive: it is longer than `MAX_BYTES`.
    """
    parts, total, part_end = [], 0, PART_BYTES
    for part in _pieces(response.body):
        parts.append(part)
        total += len(part)
        if total > MAX_BYTES:
            raise TooExpensive(_ADVICE)
        if total > part_end:
            part_end = total + PART_BYTES
            await asyncio.sleep(0)
    response.encoded = b"".join(parts)


def _pieces(value: Any) -> Iterator[bytes]:
    """The JSON of a value in pieces: each item of a list is one, and so is everything without a list."""
    if isinstance(value, dict) and any(isinstance(each, dict | list) for each in value.values()):
        opening = b"{"
        for key, each in value.items():
            yield opening + orjson.dumps(key) + b":"
            yield from _pieces(each)
            opening = b","
        yield b"}"
    elif isinstance(value, list) and value:
        opening = b"["
        for each in value:
            yield opening + orjson.dumps(each, option=orjson.OPT_UTC_Z)
            opening = b","
        yield b"]"
    else:
        yield orjson.dumps(value, option=orjson.OPT_UTC_Z)
