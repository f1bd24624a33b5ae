"""Strawberry's schema class, with a fix for the introspection of `@oneOf` inputs."""

from typing import Any

import strawberry
from graphql import GraphQLBoolean, GraphQLField, GraphQLInputObjectType, GraphQLType, introspection_types
from strawberry.schema.schema_converter import GraphQLCoreConverter


class Schema(strawberry.Schema):
    """A schema that resolves every introspection field on every kind of type.

    Strawberry replaces the resolver of `__Type.isOneOf`. Its resolver fails on list and non-null types, because they
    have no extensions. Strawberry also does not set `is_one_of` on the input types of graphql-core.
    """

    def _extend_introspection(self) -> None:
        for kind in self._schema.type_map.values():
            if isinstance(kind, GraphQLInputObjectType) and GraphQLCoreConverter.DEFINITION_BACKREF in kind.extensions:
                kind.is_one_of = kind.extensions[GraphQLCoreConverter.DEFINITION_BACKREF].is_one_of
        # All schemas of a process share the introspection types: another schema may have replaced the resolver before.
        introspected: Any = introspection_types["__Type"]
        introspected.fields["isOneOf"] = GraphQLField(GraphQLBoolean, resolve=_is_one_of)


def _is_one_of(kind: GraphQLType, _info: object) -> bool | None:
    return kind.is_one_of if isinstance(kind, GraphQLInputObjectType) else None
