"""Reading what a client sent: parameters, JSON and forms, as the older server understood them."""

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
from rest_api.errors import BODY, FieldProblem, NotUnderstood

BROKEN_FORM: Final = "There was an error parsing the body"

_BOM: Final = b"\xef\xbb\xbf"
_MAX_FIELDS: Final = 20
_MAX_PARAMETERS: Final = 100
_MAX_TYPE: Final = 200
"""Characters of a media type with its parameters, which take quadratic time to read."""
_URLENCODED: Final = "application/x-www-form-urlencoded"
_MULTIPART: Final = "multipart/form-data"

ModelT = TypeVar("ModelT", bound=BaseModel)


def read_params(model: type[ModelT], path: Mapping[str, str], query: bytes) -> ModelT:
    """The parameters of path and query string; of one given twice the last counts, unknown ones are left alone.

    Raises:
        NotUnderstood: one breaks a rule, or there are too many.
    """
    return _valid(model, _query(query) | dict(path)) if model.model_fields else model()


def read_json(model: type[ModelT], body: bytes, headers: Headers) -> ModelT:
    """A JSON body; without a Content-Type it is taken for JSON, as it was.

    Raises:
        HTTPRefusal: 415, it is compressed.
        NotUnderstood: it is not JSON, or a value breaks a rule.
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
    return _valid(model, value)


async def read_form(model: type[ModelT], body: bytes, headers: Headers) -> ModelT:
    """A form, urlencoded or multipart; what is neither has no fields, and of one given twice the last counts.

    Raises:
        HTTPRefusal: 415, it is compressed; 400, it is broken.
        NotUnderstood: a field is missing or breaks a rule.
    """
    check_coding(headers.raw)
    media = _media(headers)
    if media not in (_URLENCODED, _MULTIPART) or len(headers["content-type"]) > _MAX_TYPE:
        return _without_a_form(model)
    try:
        parser = (
            FormParser(headers, _once(body), max_fields=_MAX_FIELDS)
            if media == _URLENCODED
            else MultiPartParser(headers, _once(body), max_fields=_MAX_FIELDS, max_files=0)
        )
        fields = await parser.parse()
    except MultiPartException as error:
        raise bad_request(f"{BROKEN_FORM}: {error.message}") from None
    except (FormParserError, UnicodeError):  # a charset may be one that decodes nothing
        raise bad_request(f"{BROKEN_FORM}.") from None
    # An empty field counts as none, as in the older server.
    return _valid(model, {name: text for name, text in fields.items() if text and not isinstance(text, UploadFile)})


def _valid(model: type[ModelT], value: Any) -> ModelT:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise NotUnderstood.of(error) from None


def _without_a_form(model: type[ModelT]) -> ModelT:
    # The older server only missed the fields: whoever had sent them as JSON was left to wonder.
    try:
        return _valid(model, {})
    except NotUnderstood as missing:
        hint = f"Input should be a form: send it with the header Content-Type: {_URLENCODED}"
        raise NotUnderstood(*missing.problems, FieldProblem(field=BODY, message=hint)) from None


def _query(query: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=_MAX_PARAMETERS)
    except ValueError:
        problem = FieldProblem(field="query", message=f"Input should have at most {_MAX_PARAMETERS} parameters")
        raise NotUnderstood(problem) from None
    return dict(pairs)


def _media(headers: Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _is_json(media: str) -> bool:
    return media == "application/json" or (media.startswith("application/") and media.endswith("+json"))


def _bad_body(message: str) -> NotUnderstood:
    return NotUnderstood(FieldProblem(field=BODY, message=message))


async def _once(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body
