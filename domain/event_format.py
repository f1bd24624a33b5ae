"""The JSON of events: for each key the attribute that it holds, and how its values are written and read.

Python writes and reads events by the same declarations; SQL that reads a key takes its name from them.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple
from uuid import UUID


@dataclass(frozen=True, slots=True, eq=False)
class ValueType:
    """How values are written to JSON and read from it."""

    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


class JSONKey(NamedTuple):
    """One key of a JSON object. A key that is not required is left out if the value is None; earlier versions have no
    such key.
    """

    name: str
    type: ValueType
    required: bool = True


class EventFormat:
    """The keys of a JSON object, by the attributes of the object that it is written from."""

    def __init__(self, **keys: JSONKey) -> None:
        self.keys: Final[Mapping[str, JSONKey]] = keys
        required = {attribute: key for attribute, key in keys.items() if key.required}
        others = {attribute: key for attribute, key in keys.items() if not key.required}
        self._writers = tuple((key.name, attribute, key.type.write) for attribute, key in required.items())
        self._readers = tuple((attribute, key.name, key.type.read) for attribute, key in required.items())
        self._optional_writers = tuple((key.name, attribute, key.type.write) for attribute, key in others.items())
        self._optional_readers = tuple((attribute, key.name, key.type.read) for attribute, key in others.items())

    def name_of(self, attribute: str) -> str:
        """The key of an attribute."""
        return self.keys[attribute].name

    def to_json(self, value: object) -> dict[str, Any]:
        """Plain values only, fit for `json`."""
        written = {name: write(getattr(value, attribute)) for name, attribute, write in self._writers}
        for name, attribute, write in self._optional_writers:
            if (part := getattr(value, attribute)) is not None:
                written[name] = write(part)
        return written

    def values(self, payload: Any, *, without: Collection[str] = ()) -> dict[str, Any]:
        """The attributes in a JSON object, except those in *without*; it may have further keys.

        Attributes whose keys are not required and missing, or null, are left out.

        Raises:
            KeyError, TypeError, ValueError, AttributeError: it has another form.
        """
        values = {attribute: read(payload[name]) for attribute, name, read in self._readers if attribute not in without}
        for attribute, name, read in self._optional_readers:
            if attribute not in without and (part := payload.get(name)) is not None:
                values[attribute] = read(part)
        return values


def optional(kind: ValueType) -> ValueType:
    """The type of values that may be null."""
    write, read = kind.write, kind.read
    return ValueType(
        lambda value: None if value is None else write(value),
        lambda value: read(value) if value else None,
    )


def _same(value: Any) -> Any:
    return value


def _instant(value: datetime) -> str:
    return value.isoformat(timespec="microseconds")


PLAIN: Final = ValueType(_same, _same)
# The ids of a task and of its people come again with each of its events, and a UUID is parsed in Python.
ID: Final = ValueType(str, lru_cache(maxsize=4_096)(UUID))
INSTANT: Final = ValueType(_instant, datetime.fromisoformat)
