"""Fields of inputs that may be left out: what services get for them."""

from collections.abc import Callable
from typing import TypeVar

import strawberry

from domain.errors import Invalid
from services.unset import UNSET, UnsetType

S = TypeVar("S")
T = TypeVar("T")


def given(value: T) -> T | UnsetType:
    """The value, or UNSET if the field was left out."""
    return UNSET if value is strawberry.UNSET else value


def given_as(convert: Callable[[S], T], value: S | UnsetType) -> T | UnsetType:
    """The converted value, or UNSET if the field was left out. *value* may be what `never_null` returns."""
    return UNSET if value is UNSET or value is strawberry.UNSET else convert(value)


def never_null(value: T | None, field: str) -> T | UnsetType:
    """The value, or UNSET if the field was left out.

    Raises:
        Invalid: it is null.
    """
    if value is None:
        raise Invalid(f"{field} cannot be cleared; leave it out to keep it.", path=(field,))
    return given(value)
