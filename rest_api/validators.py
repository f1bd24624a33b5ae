"""The domain's rules as pydantic's: all fields of a body are looked at, and each says what is wrong in its words."""

from collections.abc import Callable
from typing import Final

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from domain.errors import Invalid
from domain.text import check_storable

TEXT: Final = r"^[^\u0000]*$"
"""As a pattern of JSON Schema: any text that can be stored."""


def rule(check: Callable[[str], str]) -> AfterValidator:
    """A check of the domain, for a field's annotation."""

    def checked(value: str) -> str:
        try:
            return check(value)
        except Invalid as refusal:
            raise PydanticCustomError("rule", "{message}", {"message": refusal.message}) from None

    return AfterValidator(checked)


def text(field: str) -> AfterValidator:
    """Any text that can be looked up in the database."""

    def check(value: str) -> str:
        check_storable(value, field=field)
        return value

    return rule(check)
