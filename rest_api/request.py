"""Parses requests as the older server did: parameters, JSON and forms."""

from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

import orjson
from pydantic import BaseModel, ValidationError
from python_multipart.exceptions import FormParserError
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser

from asgi.errors import bad_request
from asgi.request_body import check_coding
from rest_api.errors import BODY, FieldProblem, InvalidRequest

BROKEN_FORM: Final = "There was an error parsing the body"

_BOM: Final = b"\xef\xbb\xbf"
_MAX_FIELDS: Final = 20
_MAX_PARAMETERS: Final = 100
_MAX_TYPE: Final = 200
"""Characters of a media type with its parameters. Parsing them takes quadratic time."""
_URLENCODED: Final = "application/x-www-form-urlencoded"
_MULTIPART: Final = "multipart/form-data"

ModelT = TypeVar("ModelT", bound=BaseModel)


def read_params(model: type[ModelT], path: Mapping[str, str], query: bytes) -> ModelT:
    """The parameters of path and query string. The last value of a repeated parameter counts; unknown ones are ignored.

    Raises:
        InvalidRequest: a parameter breaks a rule, or there are too many.
    """
    return _validate(model, _query(query) | dict(path)) if model.model_fields else model()


def read_json(model: type[ModelT], body: bytes, headers: Headers) -> ModelT:
    """A JSON body. A body without a Content-Type counts as JSON, as in the older server.

    Raises:
        HTTPError: 415, the body is compressed.
        InvalidRequest: the body is not JSON, or a value breaks a rule.
    """
    check_coding(headers.raw)
    if not body:
        raise _bad_body("Field required")
    media = _media(headers)
    if media and not _is_json(media):
        raise _bad_body("Input should be an object: send JSON, with the header Content-Type: application/json")
    try:
        value: Any = orjson.loads(body.removeprefix(_BOM))
    except orjson.JSONDecodeError as error:
        raise _bad_body(f"JSON decode error: {error}") from None
    return _validate(model, value)


async def read_form(model: type[ModelT], body: bytes, headers: Headers) -> ModelT:
    """A form, urlencoded or multipart; any other body has no fields. The last value of a repeated field counts.

    Raises:
        HTTPError: 415, the body is compressed; 400, it is malformed.
        InvalidRequest: a field is missing or breaks a rule.
    """
    check_coding(headers.raw)
    media = _media(headers)
    if media not in (_URLENCODED, _MULTIPART) or len(headers["content-type"]) > _MAX_TYPE:
        return _not_a_form(model)
    try:
        parser = (
            FormParser(headers, _chunks(body), max_fields=_MAX_FIELDS)
            if media == _URLENCODED
            else MultiPartParser(headers, _chunks(body), max_fields=_MAX_FIELDS, max_files=0)
        )
        fields = await parser.parse()
    except MultiPartException as error:
        raise bad_request(f"{BROKEN_FORM}: {error.message}") from None
    except (FormParserError, UnicodeError):  # the charset may be unable to decode the body
        raise bad_request(f"{BROKEN_FORM}.") from None
    # An empty field counts as missing, as in the older server.
    return _validate(model, {name: text for name, text in fields.items() if text and not isinstance(text, UploadFile)})


def _validate(model: type[ModelT], value: Any) -> ModelT:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise InvalidRequest.of(error) from None


def _not_a_form(model: type[ModelT]) -> ModelT:
    # The older server reported only missing fields. The hint helps clients that sent JSON.
    try:
        return _validate(model, {})
    except InvalidRequest as missing:
        hint = f"Input should be a form: send it with the header Content-Type: {_URLENCODED}"
        raise InvalidRequest(*missing.problems, FieldProblem(field=BODY, message=hint)) from None


def _query(query: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=_MAX_PARAMETERS)
    except ValueError:
        problem = FieldProblem(field="query", message=f"Input should have at most {_MAX_PARAMETERS} parameters")
        raise InvalidRequest(problem) from None
    return dict(pairs)


def _media(headers: Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _is_json(media: str) -> bool:
    return media == "application/json" or (media.startswith("application/") and media.endswith("+json"))


def _bad_body(message: str) -> InvalidRequest:
    return InvalidRequest(FieldProblem(field=BODY, message=message))


async def _chunks(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body
