"""Opaque ids: the type's name and the row's UUID (GraphQL Global Object Identification)."""

from collections.abc import Callable
from typing import Final
from uuid import UUID

from strawberry import ID

from domain import base64url
from domain.errors import BadRequest

_MAX_LENGTH: Final = 100


def encode_id(kind: str, identity: UUID) -> ID:
    """The id of an object, URL-safe: `base64url("Task:" + 16 bytes)`."""
    return ID(base64url.encode(kind.encode() + b":" + identity.bytes))


def encoder_of(kind: str) -> Callable[[UUID], str]:
    """The function that writes the ids of one type."""
    prefix, encode = kind.encode() + b":", base64url.encode
    return lambda identity: encode(prefix + identity.bytes)


def decode_id(text: str, *, field: str) -> tuple[str, UUID]:
    """The type's name and the UUID in an id; *field* is the argument or input field that it was given for.

    Raises:
        BadRequest: the text is no id of this API.
    """
    try:
        if len(text) > _MAX_LENGTH:
            raise ValueError(text)
        kind, separator, identity = base64url.decode(text).partition(b":")
        if not separator:
            raise ValueError(text)
        return kind.decode("ascii"), UUID(bytes=identity)
    except ValueError as error:
        raise BadRequest(f"`{field}` is not an id of this API: take ids from the `id` fields of answers.") from error


def decode_id_of(kind: str, text: str, *, field: str) -> UUID:
    """The UUID in the id of a *kind*; *field* is the argument or input field that it was given for.

    Raises:
        BadRequest: the text is no id, or one of another type.
    """
    found, identity = decode_id(text, field=field)
    if found != kind:
        raise BadRequest(f"`{field}` is the id of a {found[:20]}; the id of a {kind} is needed here.")
    return identity


def optional_id_of(kind: str, text: str | None, *, field: str) -> UUID | None:
    """As `decode_id_of`; None for none."""
    return decode_id_of(kind, text, field=field) if text is not None else None
