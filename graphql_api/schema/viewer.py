"""Declares how the value of a field depends on the viewer: the user who requests it.

One execution of a subscription event can serve all viewers for whom every selected field has the same value. A field
declares this with `strawberry.field(metadata=…)`. A field that has access to the user and declares nothing counts as
personal: a forgotten declaration makes execution slower, but never shows a value to the wrong user.
"""

from enum import IntEnum
from typing import Any, Final

from graphql import GraphQLField
from strawberry.schema.schema_converter import GraphQLCoreConverter

_KEY: Final = "viewer"


class Viewer(IntEnum):
    """What the value of a field depends on, in addition to the object that has the field."""

    ALL_USERS = 0
    """Nothing: the value is the same for all users."""
    RELATION = 1
    """The role of the user, their relation to the task (owner, assignee, both, or neither), and their role in its
    project.
    """
    USER = 2
    """The individual user."""


FOR_ALL_USERS: Final[dict[Any, Any]] = {_KEY: Viewer.ALL_USERS}
BY_RELATION: Final[dict[Any, Any]] = {_KEY: Viewer.RELATION}
PERSONAL: Final[dict[Any, Any]] = {_KEY: Viewer.USER}


def declared_viewer(field: GraphQLField) -> Viewer | None:
    """The declaration of a field, or None."""
    definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return definition.metadata.get(_KEY) if definition is not None else None


def can_access_viewer(field: GraphQLField) -> bool:
    """Whether the field has access to the user: its resolver or an extension gets the context of the operation."""
    definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    if definition is None or definition.is_basic_field:
        return False
    return bool(definition.extensions) or definition.base_resolver.info_parameter is not None


def viewer_of(field: GraphQLField) -> Viewer:
    """What the value of the field depends on: its declaration, or the safe default."""
    found = declared_viewer(field)
    if found is not None:
        return found
    return Viewer.USER if can_access_viewer(field) else Viewer.ALL_USERS
