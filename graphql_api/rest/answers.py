"""Answers that say yes."""

from collections.abc import Sequence
from typing import TypeVar

from pydantic import BaseModel, TypeAdapter

from graphql_api.auth.facts import Header
from graphql_api.wire.answer import Answer

ModelT = TypeVar("ModelT", bound=BaseModel)


def one(model: BaseModel, *headers: Header, status: int = 200) -> Answer:
    """One object."""
    return Answer(status, model.model_dump_json().encode(), headers=list(headers))


def several(kind: type[ModelT], models: Sequence[ModelT]) -> Answer:
    """An array of objects."""
    return Answer(200, TypeAdapter(list[kind]).dump_json(list(models)))  # type: ignore[valid-type]


def nothing(*headers: Header) -> Answer:
    """Done, and there is nothing to say."""
    return Answer(204, headers=list(headers))
