"""Encodes and parses the messages of graphql-transport-ws."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import orjson

from domain.errors import BadRequest
from graphql_api.errors import ErrorDict
from graphql_api.execution.request import OperationRequest, parse_request

_SHORT: Final = 100
"""The maximum length of an id whose JSON is cached. Clients use numbers or UUIDs."""
MAX_ID: Final = 255
"""The maximum length of an id in characters."""
ACK: Final = '{"type":"connection_ack"}'


class BadMessage(Exception):
    """The client sent an invalid message. The text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Message:
    """A valid message. `subscribe` has a `request`; messages for an operation have an `id`."""

    type: str
    id: str = ""
    payload: dict[str, Any] | None = None
    request: OperationRequest | None = None


def read(data: bytes) -> Message:
    """Parse the message in a text frame.

    Raises:
        BadMessage: the message is not valid.
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
    raise BadMessage("The type of the message must be connection_init, subscribe, complete, ping or pong")


def ping(payload: dict[str, Any] | None) -> str:
    """A ping of the server."""
    return '{"type":"ping"}' if not payload else _dump({"type": "ping", "payload": payload})


def pong(payload: dict[str, Any] | None) -> str:
    """The pong for a ping with this payload."""
    return '{"type":"pong"}' if payload is None else _dump({"type": "pong", "payload": payload})


def next_(id: str, payload: str) -> str:
    """A result. *payload* is JSON."""
    return f'{{"id":{_quoted(id) if len(id) <= _SHORT else _dump(id)},"type":"next","payload":{payload}}}'


def error(id: str, errors: Sequence[ErrorDict]) -> str:
    """The end of an operation that was not executed."""
    return _dump({"id": id, "type": "error", "payload": errors})


def complete(id: str) -> str:
    """The end of an operation that has no more results."""
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
