"""The domain's rules as pydantic validators: all fields are checked, with the domain's messages."""

from collections.abc import Callable
from typing import Final

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from domain.errors import Invalid
from domain.text import check_storable

TEXT: Final = r"^[^\u0000]*$"
"""A JSON Schema pattern for any text that can be stored."""


def rule(check: Callable[[str], str]) -> AfterValidator:
    """A validator for a field's annotation, from a check of the domain."""

    def checked(value: str) -> str:
        try:
            return check(value)
        except Invalid as refusal:
            raise PydanticCustomError("rule", "{message}", {"message": refusal.message}) from None

    return AfterValidator(checked)


def text(field: str) -> AfterValidator:
    """A validator for any text that the database can compare."""

    def check(value: str) -> str:
        check_storable(value, field=field)
        return value

    return rule(check)
