"""A statement that SQLAlchemy compiles and asyncpg executes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from sqlalchemy import Select
from sqlalchemy.dialects.postgresql import asyncpg

from persistence.queries.query import Values

_DIALECT: Final = asyncpg.dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL text with `$1`, `$2` …, and the names of the parameters in this order."""

    text: str
    names: tuple[str, ...]
    constants: Mapping[str, Any]
    """The values that are part of the statement."""

    @classmethod
    def of(cls, query: Select[Any]) -> Self:
        """The compiled statement of a query."""
        compiled = query.compile(dialect=_DIALECT)
        names = tuple(compiled.positiontup or ())
        constants = {name: compiled.binds[name].value for name in names if not compiled.binds[name].required}
        return cls(str(compiled), names, constants)

    def arguments(self, values: Values) -> list[Any]:
        """The values in the order of the parameters.

        Raises:
            KeyError: a value is missing.
        """
        if self.constants:
            values = {**self.constants, **values}
        return [values[name] for name in self.names]
