"""The arguments of the schema with which a client can name an object of another user."""

from collections.abc import Iterator
from typing import Final

from graphql import (
    GraphQLArgument,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
)

CURSORS: Final = frozenset({"after", "before"})
KEYS: Final = frozenset({"Query.taskByKey.key", "Query.project.key", "Query.tasks.filter.search"})
"""Further arguments that find an object by its content."""


def naming_arguments(schema: GraphQLSchema) -> set[str]:
    """Every argument and every input field of the type ID, every cursor, and `KEYS`: `Mutation.addMember.input.userId`.

    Root fields have the name of their root type, nested fields that of their type.
    """
    objects = [kind for kind in schema.type_map.values() if isinstance(kind, GraphQLObjectType)]
    found = set(KEYS)
    for kind in objects:
        for name, field in kind.fields.items():
            if not kind.name.startswith("__"):
                found |= set(_in_arguments(f"{kind.name}.{name}", field.args))
    return found


def _in_arguments(place: str, given: dict[str, GraphQLArgument] | dict[str, GraphQLInputField]) -> Iterator[str]:
    for name, argument in given.items():
        path, kind = f"{place}.{name}", get_named_type(argument.type)
        if isinstance(kind, GraphQLInputObjectType):
            yield from _in_arguments(path, kind.fields)
        elif kind.name == "ID" or name in CURSORS:
            yield path
