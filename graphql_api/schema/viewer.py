"""What a field has to know of whoever looks: this decides who can be told by one and the same execution.

It is declared beside the field, `strawberry.field(metadata=…)`. A resolver that can ask who is there and declares
nothing counts as personal, so that forgetting costs time and tells nobody anything.
"""

from enum import IntEnum
from typing import Any, Final

from graphql import GraphQLField
from strawberry.schema.schema_converter import GraphQLCoreConverter

_KEY: Final = "viewer"


class Viewer(IntEnum):
    """What a field's value depends on, beside the object that it belongs to."""

    ANYBODY = 0
    """It is the same for all."""
    CLASS = 1
    """The role, and what the task is to them: owned, assigned, both, neither."""
    PERSON = 2
    """Who they are."""


FOR_ANYBODY: Final[dict[Any, Any]] = {_KEY: Viewer.ANYBODY}
BY_CLASS: Final[dict[Any, Any]] = {_KEY: Viewer.CLASS}
PERSONAL: Final[dict[Any, Any]] = {_KEY: Viewer.PERSON}


def declared(field: GraphQLField) -> Viewer | None:
    """What a field declares."""
    definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return definition.metadata.get(_KEY) if definition is not None else None


def can_tell_who(field: GraphQLField) -> bool:
    """Whether the field could find out who looks: whoever is handed the operation's context could."""
    definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    if definition is None or definition.is_basic_field:
        return False
    return bool(definition.extensions) or definition.base_resolver.info_parameter is not None


def viewer_of(field: GraphQLField) -> Viewer:
    """What the field has to know: what it declares, else the worst that it could."""
    found = declared(field)
    if found is not None:
        return found
    return Viewer.PERSON if can_tell_who(field) else Viewer.ANYBODY
