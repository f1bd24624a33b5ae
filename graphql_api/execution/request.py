"""A GraphQL request, parsed from decoded JSON. All transports use it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson

from domain.errors import BadRequest, TooExpensive
from domain.text import is_storable
from domain.trusted_document import MAX_ID

MAX_VALUES: Final = 5_000
"""The maximum number of values in the variables of a request: each is processed several times before execution."""


@dataclass(slots=True)
class OperationRequest:
    """The parameters of a request (GraphQL over HTTP, section 5 and appendix A).

    `query` is empty if `document_id` or `extensions.persistedQuery` names the document instead.
    """

    query: str
    operation_name: str | None
    variables: dict[str, Any]
    extensions: dict[str, Any]
    document_id: str | None = None


def parse_request(value: object) -> OperationRequest:
    """Parse a decoded JSON value.

    Raises:
        BadRequest: the value is not a valid request; the message says what is wrong.
    """
    if isinstance(value, list):
        raise BadRequest("Several operations in one request are not supported: send them one by one.")
    if not isinstance(value, dict):
        raise BadRequest('The request must be a JSON object, such as {"query": "{ __typename }"}.')
    return OperationRequest(
        query=_query(value),
        operation_name=_name(value),
        variables=_object(value, "variables"),
        extensions=_object(value, "extensions"),
        document_id=_document_id(value) if "documentId" in value or "doc_id" in value else None,
    )


def check_text(request: OperationRequest) -> None:
    """Check the text in the variables, and the number of their values.

    Raises:
        BadRequest: a string or a key contains NUL or a lone surrogate, which cannot be stored.
        TooExpensive: there are more than 5,000 values.
    """
    if not request.variables or _are_few_and_valid(request.variables):
        return
    for text in _strings(request.variables):
        if "\x00" in text or not (text.isascii() or is_storable(text)):
            raise BadRequest("A variable contains a character that is not text (NUL or a lone surrogate).")


def _are_few_and_valid(variables: dict[str, Any]) -> bool:
    """Whether the JSON of the variables shows that there is nothing to refuse. Encoding it is faster than a walk."""
    try:
        encoded = orjson.dumps(variables)
    except (TypeError, ValueError):  # such as a lone surrogate, or a number that orjson cannot encode
        return False
    return len(encoded) <= MAX_VALUES and b"\\u0000" not in encoded


def _query(value: dict[str, Any]) -> str:
    query = value.get("query")
    if isinstance(query, str) and query and not query.isspace():
        return query
    if query is None and (_is_by_hash(value) or _document_id(value) is not None):
        return ""
    if query is None:
        raise BadRequest("The request has no query: put the document's text into `query`.")
    if not isinstance(query, str):
        raise BadRequest("`query` must be a string.")
    raise BadRequest("`query` is empty: put the document's text into it, such as { __typename }.")


def _is_by_hash(value: dict[str, Any]) -> bool:
    extensions = value.get("extensions")
    return isinstance(extensions, dict) and extensions.get("persistedQuery") is not None


def _document_id(value: dict[str, Any]) -> str | None:
    """`documentId`; the guide of Relay calls it `doc_id`."""
    found = value.get("documentId")
    if found is None:
        found = value.get("doc_id")
    if found is not None and (not isinstance(found, str) or not 1 <= len(found) <= MAX_ID):
        raise BadRequest(f"`documentId` must be a string of 1 to {MAX_ID} characters.")
    return found


def _name(value: dict[str, Any]) -> str | None:
    name = value.get("operationName")
    if name is not None and not isinstance(name, str):
        raise BadRequest("`operationName` must be a string or null.")
    return name or None


def _object(value: dict[str, Any], key: str) -> dict[str, Any]:
    found = value.get(key)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise BadRequest(f"`{key}` must be an object or null.")
    return found


def _strings(value: object) -> Iterator[str]:
    pending, count = [value], 0
    while pending:
        each = pending.pop()
        count += 1
        if count > MAX_VALUES:
            raise TooExpensive(f"The variables contain more than {MAX_VALUES:,} values.")
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            pending.extend(each)
            pending.extend(each.values())
        elif isinstance(each, list):
            pending.extend(each)
