"""The messages of graphql-transport-ws as text, and the reading of those that a client sends."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import orjson

from domain.errors import BadRequest
from graphql_api.errors import ErrorDict
from graphql_api.execution.request import OperationRequest, parse_request

_SHORT: Final = 100
"""Characters of an id that is kept, once it is quoted: clients number their operations, or give them a UUID."""
MAX_ID: Final = 255
"""Characters of an id; operations are kept by it."""
ACK: Final = '{"type":"connection_ack"}'


class BadMessage(Exception):
    """The client sent what the protocol does not know; the text says what."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a known shape: `request` is there when it subscribes, `id` when it is about an operation."""

    type: str
    id: str = ""
    payload: dict[str, Any] | None = None
    request: OperationRequest | None = None


def read(data: bytes) -> Message:
    """The message in a text frame.

    Raises:
        BadMessage: it is none.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise BadMessage("The message is not JSON") from None
    if not isinstance(value, dict):
        raise BadMessage("The message is not an object")
    match value.get("type"):
        case "subscribe":
            return Message("subscribe", id=_id(value), request=_request(value))
        case "complete":
            return Message("complete", id=_id(value))
        case "connection_init" | "ping" | "pong" as kind:
            return Message(kind, payload=_payload(value))
    raise BadMessage("The type of the message is none of connection_init, subscribe, complete, ping and pong")


def ping(payload: dict[str, Any] | None) -> str:
    """A ping of ours."""
    return '{"type":"ping"}' if not payload else _dump({"type": "ping", "payload": payload})


def pong(payload: dict[str, Any] | None) -> str:
    """The answer to a ping, with what came in it."""
    return '{"type":"pong"}' if payload is None else _dump({"type": "pong", "payload": payload})


def next_(id: str, payload: str) -> str:
    """A result that is JSON already: only its address is written around it."""
    return f'{{"id":{_quoted(id) if len(id) <= _SHORT else _dump(id)},"type":"next","payload":{payload}}}'


def error(id: str, errors: Sequence[ErrorDict]) -> str:
    """The end of an operation that failed as a whole."""
    return _dump({"id": id, "type": "error", "payload": errors})


def complete(id: str) -> str:
    """The end of an operation that came to its end."""
    return _dump({"id": id, "type": "complete"})


def _id(value: dict[str, Any]) -> str:
    found = value.get("id")
    if not isinstance(found, str) or not 1 <= len(found) <= MAX_ID:
        raise BadMessage(f"The message needs an id, a string of 1 to {MAX_ID} characters")
    return found


def _payload(value: dict[str, Any]) -> dict[str, Any] | None:
    found = value.get("payload")
    if found is not None and not isinstance(found, dict):
        raise BadMessage("The payload must be an object or null")
    return found


def _request(value: dict[str, Any]) -> OperationRequest:
    try:
        return parse_request(value.get("payload"))
    except BadRequest as refused:
        raise BadMessage(refused.message) from None


@lru_cache(maxsize=1_024)
def _quoted(id: str) -> str:
    return orjson.dumps(id).decode()


def _dump(value: object) -> str:
    return orjson.dumps(value).decode()
