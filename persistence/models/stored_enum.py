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
MAX_OPEN_NAME: Final = 40


class StoredEnum(TypeDecorator[EnumT]):
    """The members of an enum; *name* is the name of the column and of its check constraint.

    Reading any other value raises `UnknownValue`. An enum that is not closed has no check constraint, so that a later
    version can add members without a migration.
    """

    impl = Enum
    cache_ok = True

    def __init__(self, members: type[EnumT], name: str, *, is_closed: bool = True) -> None:
        length = MAX_NAME if is_closed else MAX_OPEN_NAME
        super().__init__(members, native_enum=False, length=length, create_constraint=is_closed, name=name)
        # SQLAlchemy's caches compare types by these attributes.
        self.members, self.name, self.is_closed = members, name, is_closed

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
