"""Strawberry's schema, with the introspection of graphql-core."""

from typing import Any

import strawberry
from graphql import GraphQLBoolean, GraphQLField, GraphQLInputObjectType, GraphQLType, introspection_types
from strawberry.schema.schema_converter import GraphQLCoreConverter


class Schema(strawberry.Schema):
    """A schema that answers every introspection field on every kind of type.

    Strawberry replaces the resolver of `__Type.isOneOf` by one that fails on lists and non-nulls, which have no
    extensions, and it does not tell graphql-core which inputs are `@oneOf`.
    """

    def _extend_introspection(self) -> None:
        for kind in self._schema.type_map.values():
            if isinstance(kind, GraphQLInputObjectType) and GraphQLCoreConverter.DEFINITION_BACKREF in kind.extensions:
                kind.is_one_of = kind.extensions[GraphQLCoreConverter.DEFINITION_BACKREF].is_one_of
        # The introspection types belong to the process, and another schema may have replaced the resolver already.
        introspected: Any = introspection_types["__Type"]
        introspected.fields["isOneOf"] = GraphQLField(GraphQLBoolean, resolve=_is_one_of)


def _is_one_of(kind: GraphQLType, _info: object) -> bool | None:
    return kind.is_one_of if isinstance(kind, GraphQLInputObjectType) else None
