"""Responses of success."""

from typing import TypeVar

from pydantic import BaseModel, TypeAdapter

from asgi.request_context import Header
from asgi.response import HTTPResponse

ModelT = TypeVar("ModelT", bound=BaseModel)


def one(model: BaseModel, *headers: Header, status: int = 200) -> HTTPResponse:
    """A response with one object."""
    return HTTPResponse(status, model.model_dump_json().encode(), headers=list(headers))


def several(adapter: TypeAdapter[list[ModelT]], models: list[ModelT]) -> HTTPResponse:
    """A response with an array of objects. Making an adapter takes longer than using it, so the caller keeps it."""
    return HTTPResponse(200, adapter.dump_json(models))


def nothing(*headers: Header) -> HTTPResponse:
    """A response without a body."""
    return HTTPResponse(204, headers=list(headers))
