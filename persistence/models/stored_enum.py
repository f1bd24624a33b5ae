"""A column type for enums: it stores the name, with a check constraint."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final, TypeVar

from sqlalchemy import Enum
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from domain.unknown_values import UnknownValue

EnumT = TypeVar("EnumT", bound=StrEnum)
MAX_NAME: Final = 20


class StoredEnum(TypeDecorator[EnumT]):
    """The members of an enum; *name* is the name of the column and of its check constraint.

    Reading any other value raises `UnknownValue`.
    """

    impl = Enum
    cache_ok = True

    def __init__(self, members: type[EnumT], name: str) -> None:
        super().__init__(members, native_enum=False, length=MAX_NAME, create_constraint=True, name=name)
        self.members, self.name = members, name  # SQLAlchemy's caches compare types by these attributes

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """The function that converts a stored value to a member."""
        process = super().result_processor(dialect, coltype)
        assert process is not None

        def known(value: Any) -> Any:
            try:
                return process(value)
            except LookupError:
                raise UnknownValue(self.name, value) from None

        return known
