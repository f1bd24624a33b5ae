"""Opaque ids: the name of the type and the UUID of the row (GraphQL Global Object Identification)."""

from collections.abc import Callable
from typing import Final
from uuid import UUID

from strawberry import ID

from domain import base64url
from domain.errors import BadRequest

_MAX_LENGTH: Final = 100


def encode_id(kind: str, identity: UUID) -> ID:
    """Encode the id of an object, for example `base64url("Task:" + 16 bytes)`. It is safe in URLs."""
    return ID(base64url.encode(kind.encode() + b":" + identity.bytes))


def encoder_of(kind: str) -> Callable[[UUID], str]:
    """A function that encodes the ids of one type."""
    prefix, encode = kind.encode() + b":", base64url.encode
    return lambda identity: encode(prefix + identity.bytes)


def decode_id(text: str, *, field: str) -> tuple[str, UUID]:
    """The type name and the UUID of an id. *field* names the argument or input field, for the error message.

    Raises:
        BadRequest: the text is not an id of this API.
    """
    try:
        if len(text) > _MAX_LENGTH:
            raise ValueError(text)
        kind, separator, identity = base64url.decode(text).partition(b":")
        if not separator:
            raise ValueError(text)
        return kind.decode("ascii"), UUID(bytes=identity)
    except ValueError as error:
        raise BadRequest(f"`{field}` is not an id of this API: use an id from an `id` field of a response.") from error


def decode_id_of(kind: str, text: str, *, field: str) -> UUID:
    """The UUID of an id whose type must be *kind*. *field* names the argument or input field, for the error message.

    Raises:
        BadRequest: the text is not an id, or it is the id of another type.
    """
    found, identity = decode_id(text, field=field)
    if found != kind:
        raise BadRequest(f"`{field}` is the id of a {found[:20]}; use the id of a {kind}.")
    return identity


def optional_id_of(kind: str, text: str | None, *, field: str) -> UUID | None:
    """Like `decode_id_of`, but returns None for None."""
    return decode_id_of(kind, text, field=field) if text is not None else None
