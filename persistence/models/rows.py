"""Makes rows of models from the values of a statement. Such a row belongs to no session of SQLAlchemy."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, TypeVar

import orjson
from sqlalchemy.dialects.postgresql import JSONB, asyncpg
from sqlalchemy.orm import class_mapper
from sqlalchemy.types import TypeEngine

from domain.unknown_values import UnknownValue
from persistence.models.base import Base
from persistence.models.stored_enum import StoredEnum

RowT = TypeVar("RowT", bound=Base)
Convert = Callable[[Any], Any]

_DIALECT: Final = asyncpg.dialect()  # type: ignore[no-untyped-call]


def column_names(model: type[Base]) -> tuple[str, ...]:
    """The names of all columns, in the order of the table."""
    return tuple(model.__table__.columns.keys())


@lru_cache(maxsize=100)
def row_factory(model: type[RowT]) -> Callable[[Sequence[Any]], RowT]:
    """A function that makes a row from the values of all columns, in the order of the table."""
    new: Callable[[], RowT] = class_mapper(model).class_manager.new_instance
    names = column_names(model)
    converters = _converters(model)

    def make(values: Sequence[Any]) -> RowT:
        row = new()  # without the constructor, which records each attribute as a change
        stored = row.__dict__
        stored.update(zip(names, values, strict=False))
        for name, convert in converters:
            stored[name] = convert(stored[name])
        return row

    return make


def new_row(model: type[RowT], **values: Any) -> RowT:
    """A new row; attributes that are not given are None."""
    row: RowT = class_mapper(model).class_manager.new_instance()
    row.__dict__.update(dict.fromkeys(column_names(model)), **values)
    return row


def _converters(model: type[Base]) -> list[tuple[str, Convert]]:
    """The conversions from stored to Python values, for columns that have one, such as enums and JSON."""
    found = ((column.key, _converter(column.type)) for column in model.__table__.columns)
    return [(name, convert) for name, convert in found if convert is not None]


def _converter(kind: TypeEngine[Any]) -> Convert | None:
    if isinstance(kind, JSONB):
        return orjson.loads  # the driver returns its text
    if isinstance(kind, StoredEnum):
        return _member(kind)
    return kind.dialect_impl(_DIALECT).result_processor(_DIALECT, None)


def _member(kind: StoredEnum[Any]) -> Convert:
    """The member of an enum by its stored name. SQLAlchemy's own conversion takes several times as long."""
    members = {member.name: member for member in kind.members}

    def convert(name: str | None) -> Any:
        try:
            return None if name is None else members[name]
        except KeyError:
            raise UnknownValue(kind.name, name) from None

    return convert
