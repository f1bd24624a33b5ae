"""The JSON of events, written in SQL from the declarations that Python uses (`domain/event_format.py`)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import orjson
from sqlalchemy import ColumnElement, func, literal_column

from domain.event_format import INSTANT, EventFormat, JSONKey, ValueType

_ISO_8601: Final = 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'


def payload(keys: EventFormat, values: Mapping[str, Any]) -> ColumnElement[Any]:
    """The JSON object as `EventFormat.to_json` writes it, of columns by attribute.

    The value of an object is a mapping of its own; the value of an array is a sequence of constants.

    Raises:
        ValueError: an attribute is missing, or unknown.
    """
    if values.keys() != keys.keys.keys():
        raise ValueError(f"An event has {', '.join(keys.keys)}; given: {', '.join(values)}.")
    parts = ((constant(key.name), _written(key, values[attribute])) for attribute, key in keys.keys.items())
    return func.jsonb_build_object(*(part for pair in parts for part in pair))


def constant(text: str, kind: str = "text") -> ColumnElement[Any]:
    """A constant of the product's own, as a part of the statement."""
    return literal_column(f"'{text}'::{kind}")


def _written(key: JSONKey, value: Any) -> ColumnElement[Any]:
    if isinstance(value, Mapping):
        assert key.type.parts is not None
        return payload(key.type.parts, value)
    if isinstance(value, Sequence):
        return constant(orjson.dumps(key.type.write(value)).decode(), "jsonb")
    write = _WRITERS.get(key.type)
    return value if write is None else write(value)


def _instant(value: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.to_char(func.timezone(constant("UTC"), value), constant(_ISO_8601))


_WRITERS: Final[Mapping[ValueType, Callable[[ColumnElement[Any]], ColumnElement[Any]]]] = {INSTANT: _instant}
"""Types whose JSON is not what PostgreSQL makes of the column."""
