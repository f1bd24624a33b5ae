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
    """How values are written to JSON and read from it; `parts` is the format of values that are objects."""

    write: Callable[[Any], Any]
    read: Callable[[Any], Any]
    parts: "EventFormat | None" = None


class JSONKey(NamedTuple):
    """One key of a JSON object."""

    name: str
    type: ValueType


class EventFormat:
    """The keys of a JSON object, by the attributes of the object that it is written from."""

    def __init__(self, **keys: JSONKey) -> None:
        self.keys: Final[Mapping[str, JSONKey]] = keys
        self._writers = tuple((key.name, attribute, key.type.write) for attribute, key in keys.items())
        self._readers = tuple((attribute, key.name, key.type.read) for attribute, key in keys.items())

    def name_of(self, attribute: str) -> str:
        """The key of an attribute."""
        return self.keys[attribute].name

    def to_json(self, value: object) -> dict[str, Any]:
        """Plain values only, fit for `json`."""
        return {name: write(getattr(value, attribute)) for name, attribute, write in self._writers}

    def values(self, payload: Any, *, without: Collection[str] = ()) -> dict[str, Any]:
        """The attributes in a JSON object, except those that are left out; it may have further keys.

        Raises:
            KeyError, TypeError, ValueError, AttributeError: it has another form.
        """
        return {attribute: read(payload[name]) for attribute, name, read in self._readers if attribute not in without}


def optional(kind: ValueType) -> ValueType:
    """The type of values that may be null."""
    write, read = kind.write, kind.read
    return ValueType(
        lambda value: None if value is None else write(value),
        lambda value: read(value) if value else None,
        kind.parts,
    )


def _same(value: Any) -> Any:
    return value


def _instant(value: datetime) -> str:
    return value.isoformat(timespec="microseconds")


PLAIN: Final = ValueType(_same, _same)
# The ids of a task and of its people come again with each of its events, and a UUID is parsed in Python.
ID: Final = ValueType(str, lru_cache(maxsize=4_096)(UUID))
INSTANT: Final = ValueType(_instant, datetime.fromisoformat)
