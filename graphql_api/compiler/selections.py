"""The fields that an operation selects, for one combination of its `@skip` and `@include` values."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    Visitor,
    get_named_type,
    visit,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_fields, collect_subfields
from graphql.execution.values import VariableValues

from graphql_api.schema.viewer import Viewer, viewer_of

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


@dataclass(frozen=True, slots=True)
class Selection:
    """The most that any selected field has to know of who looks, and the variables used below the root field.

    Arguments of the root field select items, and do not change their values: they are not among the variables.
    """

    viewer: Viewer
    variables: frozenset[str]


class _Place(NamedTuple):
    selections: SelectionSetNode
    parent: GraphQLNamedType | None


def selection_of(schema: GraphQLSchema, ast: DocumentNode, operation: OperationDefinitionNode) -> Selection:
    """What a validated operation selects; every fragment is looked at once."""
    return _Reader(schema, ast, operation).read()


class _Reader:
    def __init__(self, schema: GraphQLSchema, ast: DocumentNode, operation: OperationDefinitionNode) -> None:
        self._schema = schema
        self._root = schema.get_root_type(operation.operation)
        self._operation = operation
        self._fragments = {
            part.name.value: part for part in ast.definitions if isinstance(part, FragmentDefinitionNode)
        }
        self._viewer = Viewer.ALL_USERS
        self._variables: set[str] = set()

    def read(self) -> Selection:
        places, seen = [_Place(self._operation.selection_set, self._root)], set()
        while places:
            selections, parent = places.pop()
            if (key := (id(selections), parent.name if parent else "")) in seen:
                continue
            seen.add(key)
            for node in selections.selections:
                places.extend(self._enter(node, parent))
        return Selection(self._viewer, frozenset(self._variables))

    def _enter(self, node: SelectionNode, parent: GraphQLNamedType | None) -> Iterator[_Place]:
        self._use_directives(node.directives or ())
        if isinstance(node, FieldNode):
            yield from self._enter_field(node, parent)
        elif isinstance(node, InlineFragmentNode):
            condition = node.type_condition
            yield _Place(node.selection_set, self._schema.get_type(condition.name.value) if condition else parent)
        elif isinstance(node, FragmentSpreadNode):
            fragment = self._fragments.pop(node.name.value, None)
            if fragment is not None:
                yield _Place(fragment.selection_set, self._schema.get_type(fragment.type_condition.name.value))

    def _enter_field(self, node: FieldNode, parent: GraphQLNamedType | None) -> Iterator[_Place]:
        if parent is not self._root:
            self._variables.update(_variables(argument.value for argument in node.arguments or ()))
        for field in _fields(self._schema, parent, node.name.value):
            if parent is not self._root:
                self._viewer = max(self._viewer, viewer_of(field))
            if node.selection_set:
                yield _Place(node.selection_set, get_named_type(field.type))

    def _use_directives(self, directives: tuple[DirectiveNode, ...]) -> None:
        for directive in directives:
            self._variables.update(_variables(argument.value for argument in directive.arguments or ()))


def _fields(schema: GraphQLSchema, parent: GraphQLNamedType | None, name: str) -> list[GraphQLField]:
    """The field of that name, as it may be resolved: of an interface, that of each type behind it."""
    kinds: list[Any] = [parent]
    if isinstance(parent, GraphQLInterfaceType | GraphQLUnionType):
        kinds = list(schema.get_possible_types(parent))
    found = [schema.get_field(kind, name) for kind in kinds if isinstance(kind, GraphQLObjectType)]
    return [field for field in found if field is not None]


def _variables(values: Iterator[ValueNode]) -> Iterator[str]:
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if isinstance(value, VariableNode):
            yield value.name.value
        elif isinstance(value, ListValueNode):
            waiting.extend(value.values)
        elif isinstance(value, ObjectValueNode):
            waiting.extend(field.value for field in value.fields)
