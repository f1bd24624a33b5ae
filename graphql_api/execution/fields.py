"""Which fields an operation selects, as graphql-core collects them, for one way its `@skip` and `@include` can fall."""

from collections.abc import Mapping, Sequence
from typing import Final

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    ValueNode,
    VariableNode,
    Visitor,
    visit,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_fields, collect_subfields
from graphql.execution.values import VariableValues

Selected = FieldDetails
"""One of the places in a document that select a field."""

Switches = Mapping[str, bool]
"""The variables that `@skip` and `@include` depend on, and how they are set."""

_DIRECTIVES: Final = ("skip", "include")


class Selections:
    """What one operation selects, with its switches set."""

    def __init__(
        self, schema: GraphQLSchema, ast: DocumentNode, operation: OperationDefinitionNode, switches: Switches
    ) -> None:
        self.schema = schema
        self._operation = operation
        self._values = VariableValues({}, dict(switches))
        self._fragments = {
            part.name.value: FragmentDetails(part)
            for part in ast.definitions
            if isinstance(part, FragmentDefinitionNode)
        }

    def at_the_root(self, kind: GraphQLObjectType) -> dict[str, list[Selected]]:
        """The fields of the root, by their names in the response."""
        return collect_fields(self.schema, self._fragments, self._values, kind, self._operation).grouped_field_set

    def below(self, kind: GraphQLObjectType, selected: Sequence[Selected]) -> dict[str, list[Selected]]:
        """The fields of an object of this type that was selected in these places."""
        return collect_subfields(
            self.schema, self._fragments, self._values, self._operation, kind, list(selected)
        ).grouped_field_set


def switches_of(ast: DocumentNode, operation: OperationDefinitionNode) -> tuple[tuple[str, bool | None], ...]:
    """The variables of an operation that decide what it selects, each with its default, if it has one."""
    finder = _Finder()
    visit(ast, finder)
    declared = {each.variable.name.value: each.default_value for each in operation.variable_definitions or ()}
    return tuple((name, _boolean(declared[name])) for name in sorted(finder.found & declared.keys()))


def _boolean(node: ValueNode | None) -> bool | None:
    return node.value if isinstance(node, BooleanValueNode) else None


class _Finder(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def enter_directive(self, node: DirectiveNode, *_: object) -> None:
        if node.name.value in _DIRECTIVES:
            values = [argument.value for argument in node.arguments or ()]
            self.found.update(value.name.value for value in values if isinstance(value, VariableNode))
