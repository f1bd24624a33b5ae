"""Sample values for the variables of an operation, with which its statements are compiled before it is sent."""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    OperationDefinitionNode,
    is_required_input_field,
    type_from_ast,
)

from graphql_api.schema.ids import encode_id

_NOBODY: Final = UUID(int=0)
_SCALARS: Final[Mapping[str, Any]] = {"Int": 10, "Float": 1.0, "Boolean": True, "DateTime": "2026-01-01T00:00:00Z"}
_TEXT: Final = "sample"


def samples(schema: GraphQLSchema, operation: OperationDefinitionNode) -> Iterator[dict[str, Any]]:
    """Values for the variables that must be given, once for each type whose id an `ID` may be."""
    given = {
        definition.variable.name.value: kind
        for definition in operation.variable_definitions or ()
        if definition.default_value is None
        and isinstance(kind := type_from_ast(schema, definition.type), GraphQLNonNull)
    }
    node = schema.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    before = None
    for named in schema.get_implementations(node).objects:
        sample_id = encode_id(named.name, _NOBODY)
        found = {name: _value(kind, sample_id) for name, kind in given.items()}
        if found != before:  # without an id, all are the same
            yield found
        before = found


def _value(given: GraphQLInputType, sample_id: str) -> Any:
    kind = given.of_type if isinstance(given, GraphQLNonNull) else given
    if isinstance(kind, GraphQLList):
        return [_value(kind.of_type, sample_id)]
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        fields = {name: field for name, field in kind.fields.items() if is_required_input_field(field)}
        return {name: _value(field.type, sample_id) for name, field in fields.items()}
    return sample_id if kind.name == "ID" else _SCALARS.get(kind.name, _TEXT)
