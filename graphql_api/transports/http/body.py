"""Decodes the JSON of a GraphQL request, from the body or from the query string."""

from collections.abc import Sequence
from email.message import Message
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson

from asgi.errors import bad_request
from asgi.request_body import check_coding
from asgi.request_context import Header

_UTF8: Final = {"utf-8", "utf8"}
_MAX_PARAMETERS: Final = 20
_MAX_TYPE: Final = 200
"""The maximum length of a media type with its parameters, in bytes: parsing takes quadratic time."""
COMMON_TYPES: Final = {b"application/json", b"application/json; charset=utf-8", b"application/json;charset=utf-8"}


def check_content_type(fields: Sequence[Header]) -> None:
    """Check that the body is JSON in UTF-8. *fields* are the headers of the request.

    A page of another site can send `text/plain` or a form without a preflight request, but not JSON.

    Raises:
        HTTPError: 415.
    """
    headers = dict(fields)
    if b"content-encoding" in headers:
        check_coding(fields)
    given = headers.get(b"content-type", b"")
    if given.lower() in COMMON_TYPES:
        return
    message = Message()
    message["content-type"] = given.decode("latin-1") if len(given) <= _MAX_TYPE else ""
    if not given or message.get_content_type() != "application/json":
        raise bad_request("Send JSON, with the header `Content-Type: application/json`.", status=415)
    if str(message.get_param("charset", "utf-8")).lower() not in _UTF8:
        raise bad_request("Send the body in UTF-8.", status=415)


def decode_json(body: bytes) -> Any:
    """Decode a JSON body.

    NaN, a byte order mark, lone surrogates and more than 1,024 levels of nesting are errors. If a key occurs twice, the
    last value counts. Integers with more than 64 bits become floats, which are not valid for `Int` of GraphQL.

    Raises:
        HTTPError: 400.
    """
    if not body:
        raise bad_request('The body is empty: send a JSON object, such as {"query": "{ __typename }"}.')
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"The body is not JSON: {error}.") from None


def decode_query_string(raw: bytes) -> dict[str, Any]:
    """Decode a request in a query string, in which `variables` and `extensions` are JSON.

    Raises:
        HTTPError: 400.
    """
    if raw.count(b"&") >= _MAX_PARAMETERS:
        raise bad_request(f"The query string has more than {_MAX_PARAMETERS} parameters.")
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError:
        raise bad_request("The query string cannot be read: it must be percent-encoded UTF-8.") from None
    value: dict[str, Any] = dict(pairs)
    if len(value) < len(pairs):
        raise bad_request("The query string has a parameter twice.")
    return value | {key: _parameter(key, value[key]) for key in ("variables", "extensions") if key in value}


def _parameter(key: str, text: str) -> Any:
    if not text:
        return None  # An empty parameter counts as missing.
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"The parameter {key} is not JSON: {error}.") from None
