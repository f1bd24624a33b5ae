"""Responses of success."""

from collections.abc import Sequence
from typing import TypeVar

from pydantic import BaseModel, TypeAdapter

from asgi.request_context import Header
from asgi.response import HTTPResponse

ModelT = TypeVar("ModelT", bound=BaseModel)


def one(model: BaseModel, *headers: Header, status: int = 200) -> HTTPResponse:
    """A response with one object."""
    return HTTPResponse(status, model.model_dump_json().encode(), headers=list(headers))


def several(kind: type[ModelT], models: Sequence[ModelT]) -> HTTPResponse:
    """A response with an array of objects."""
    return HTTPResponse(200, TypeAdapter(list[kind]).dump_json(list(models)))  # type: ignore[valid-type]


def nothing(*headers: Header) -> HTTPResponse:
    """A response without a body."""
    return HTTPResponse(204, headers=list(headers))
