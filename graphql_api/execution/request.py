"""A request as every transport receives it: decoded JSON, checked for its shape."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from domain.errors import BadRequest, TooExpensive
from domain.text import is_storable

MAX_VALUES: Final = 5_000
"""Values that the variables of one request may hold in all: each is looked at several times before anything runs."""


@dataclass(slots=True)
class OperationRequest:
    """What a client wants run: the four parameters of GraphQL over HTTP, section 5.

    `query` is empty where `extensions.persistedQuery` names it by its hash.
    """

    query: str
    operation_name: str | None
    variables: dict[str, Any]
    extensions: dict[str, Any]


def parse_request(value: object) -> OperationRequest:
    """The request in a decoded JSON value.

    Raises:
        BadRequest: it has not the shape of one; the text says what is wrong.
    """
    if isinstance(value, list):
        raise BadRequest("Several operations in one request are not supported: send them one by one.")
    if not isinstance(value, dict):
        raise BadRequest('The request must be a JSON object, such as {"query": "{ __typename }"}.')
    return OperationRequest(
        query=_query(value),
        operation_name=_name(value),
        variables=_map(value, "variables"),
        extensions=_map(value, "extensions"),
    )


def check_text(request: OperationRequest) -> None:
    """Refuse variables that hold what cannot be stored as text, or more than any operation could want.

    Raises:
        BadRequest: a string, or a key, holds NUL or a lone surrogate.
        TooExpensive: there are more than 5,000 values.
    """
    if not request.variables:
        return
    for text in _strings(request.variables):
        if "\x00" in text or not (text.isascii() or is_storable(text)):
            raise BadRequest("A variable contains a character that is not text (NUL or a lone surrogate).")


def _query(value: dict[str, Any]) -> str:
    query = value.get("query")
    if isinstance(query, str) and query and not query.isspace():
        return query
    if query is None and _is_by_hash(value):
        return ""
    if query is None:
        raise BadRequest("The request has no query: put the document's text into `query`.")
    if not isinstance(query, str):
        raise BadRequest("`query` must be a string.")
    raise BadRequest("`query` is empty: put the document's text into it, such as { __typename }.")


def _is_by_hash(value: dict[str, Any]) -> bool:
    extensions = value.get("extensions")
    return isinstance(extensions, dict) and extensions.get("persistedQuery") is not None


def _name(value: dict[str, Any]) -> str | None:
    name = value.get("operationName")
    if name is not None and not isinstance(name, str):
        raise BadRequest("`operationName` must be a string or null.")
    return name or None


def _map(value: dict[str, Any], key: str) -> dict[str, Any]:
    found = value.get(key)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise BadRequest(f"`{key}` must be an object or null.")
    return found


def _strings(value: object) -> Iterator[str]:
    waiting, count = [value], 0
    while waiting:
        each = waiting.pop()
        count += 1
        if count > MAX_VALUES:
            raise TooExpensive(f"The variables hold more than {MAX_VALUES:,} values.")
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            waiting.extend(each)
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
