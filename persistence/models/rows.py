"""Makes rows of models: plain objects with the columns as attributes, which SQLAlchemy does not observe."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, TypeVar

import orjson
from sqlalchemy.dialects.postgresql import JSONB, asyncpg
from sqlalchemy.types import TypeEngine

from domain.unknown_values import UnknownValue
from persistence.models.base import Base
from persistence.models.stored_enum import StoredEnum

RowT = TypeVar("RowT", bound=Base)
Convert = Callable[[Any], Any]

_DIALECT: Final = asyncpg.dialect()  # type: ignore[no-untyped-call]


@lru_cache(maxsize=100)
def column_names(model: type[Base]) -> tuple[str, ...]:
    """The names of all columns, in the order of the table."""
    return tuple(model.__table__.columns.keys())


@lru_cache(maxsize=100)
def row_factory(model: type[RowT]) -> Callable[[Sequence[Any]], RowT]:
    """A function that makes a row from the values of all columns, in the order of the table."""
    plain, names, converters = plain_class(model), column_names(model), _converters(model)

    def make(values: Sequence[Any]) -> RowT:
        row: RowT = object.__new__(plain)
        stored = row.__dict__
        stored.update(zip(names, values, strict=False))
        for name, convert in converters:
            stored[name] = convert(stored[name])
        return row

    return make


def new_row(model: type[RowT], **values: Any) -> RowT:
    """A new row; attributes that are not given are None."""
    row: RowT = object.__new__(plain_class(model))
    row.__dict__.update(values)
    return row


def replaced(row: RowT, **values: Any) -> RowT:
    """A copy of a row with other values."""
    copy: RowT = object.__new__(type(row))
    copy.__dict__.update(row.__dict__)
    copy.__dict__.update(values)
    return copy


@lru_cache(maxsize=100)
def plain_class(model: type[RowT]) -> type[RowT]:
    """A subclass of the model that is not mapped, and whose attributes are not observed; their default is None.

    SQLAlchemy's descriptors take several times as long as plain attributes, and nothing needs what they record.
    """
    attributes = dict.fromkeys(column_names(model))
    return type(model.__name__, (model,), {"__abstract__": True, "__module__": model.__module__, **attributes})


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
