"""Reads the idempotency key of a request."""

from collections.abc import Mapping, Sequence
from typing import Final

from asgi.request_context import Header
from domain.errors import BadRequest
from domain.idempotency import SEVERAL_KEYS, check_key

HEADER: Final = b"idempotency-key"
EXTENSION: Final = "idempotencyKey"


def idempotency_key_of(headers: Sequence[Header], extensions: Mapping[str, object] | None = None) -> str | None:
    """The key in the header `Idempotency-Key` or in the extension `idempotencyKey`; None without one.

    Raises:
        BadRequest: it is malformed, or there are two that differ.
    """
    keys = {value.decode("latin-1") for name, value in headers if name == HEADER}
    extension = (extensions or {}).get(EXTENSION)
    if extension is not None:
        keys.add(_text(extension))
    if len(keys) > 1:
        raise BadRequest(SEVERAL_KEYS)
    return check_key(keys.pop()) if keys else None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise BadRequest(f"`extensions.{EXTENSION}` must be a string or null.")
    return value
