"""Limits the size of introspection responses. The size is counted in the schema before the query is executed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLList,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SchemaMetaFieldDef,
    SelectionSetNode,
    StringValueNode,
    TypeMetaFieldDef,
    VariableNode,
    get_introspection_query,
    get_named_type,
    get_nullable_type,
    parse,
)

from domain.errors import TooExpensive

HEADROOM: Final = 1.5
"""The limit, relative to the size of the standard introspection query with all its options."""

_LEAF_COSTS: Final = {"defaultValue": 10}
"""Fields without a selection that count as several nodes: a default value has to be converted and printed."""

_META: Final = {"__schema", "__type", "__typename"}


@dataclass(slots=True)
class Introspected:
    """The introspection part of an operation.

    `nodes` is the number of fields and objects in the response. It includes deprecated members and skipped fields.
    `variables` are the variables that contain the name of a type. `only_schema` is whether the operation selects
    nothing else.
    """

    nodes: int = 0
    variables: set[str] = field(default_factory=set)
    only_schema: bool = True


class Introspection:
    """Measures introspection queries for one schema, and refuses queries that are too large."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self.limit = round(HEADROOM * self._standard_size())

    def check(
        self, ast: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]
    ) -> Introspected:
        """Measure a valid operation. A type whose name is in a missing variable counts as zero nodes.

        Raises:
            TooExpensive: the operation selects `__schema` more than once, or has too many nodes.
        """
        return self._checked(_Counter(self._schema, ast, self.limit), operation, variables)

    def check_each(self, ast: DocumentNode, operations: Iterable[OperationDefinitionNode]) -> list[Introspected]:
        """Measure each of these operations like `check`, with a limit on the total work.

        Raises:
            TooExpensive: one of them, or all of them together, have too many nodes.
        """
        counter = _Counter(self._schema, ast, self.limit)
        return [self._checked(counter, operation, {}) for operation in operations]

    def _checked(
        self, counter: "_Counter", operation: OperationDefinitionNode, variables: Mapping[str, Any]
    ) -> Introspected:
        found = counter.count(operation, variables)
        if found.nodes > self.limit:
            raise TooExpensive(
                f"The introspection response would have {found.nodes:,} nodes; at most {self.limit:,} are allowed. "
                "Select fewer types or fields at once."
            )
        return found

    def _standard_size(self) -> int:
        ast = parse(
            get_introspection_query(
                specified_by_url=True,
                directive_is_repeatable=True,
                schema_description=True,
                input_value_deprecation=True,
                one_of=True,
            )
        )
        (operation,) = (part for part in ast.definitions if isinstance(part, OperationDefinitionNode))
        return _Counter(self._schema, ast, limit=None).count(operation, {}).nodes


class _Counter:
    """Counts the nodes of one document.

    Each pair of a selection and a schema element is counted once, even if it occurs several times in the response.
    Each pair has at least one node. So the limit also limits the work, for all operations together.
    """

    def __init__(self, schema: GraphQLSchema, ast: DocumentNode, limit: int | None) -> None:
        self._schema = schema
        self._info = SimpleNamespace(schema=schema)
        self._limit = limit
        self._fragments = {
            part.name.value: part for part in ast.definitions if isinstance(part, FragmentDefinitionNode)
        }
        self._sizes: dict[tuple[int, object], int] = {}

    def count(self, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> Introspected:
        found = Introspected(only_schema=operation.operation is OperationType.QUERY)
        fields = list(self._root_fields(operation.selection_set, set()))
        _check_single_schema(fields)
        for node in fields:
            found.only_schema &= node.name.value in _META
            if node.name.value == "__schema":
                found.nodes += self._field_size(node, SchemaMetaFieldDef, self._schema)
            elif node.name.value == "__type":
                named = self._named_type(node, variables, found.variables)
                found.nodes += self._field_size(node, TypeMetaFieldDef, named)
        return found

    def _root_fields(self, selections: SelectionSetNode, seen: set[str]) -> Iterator[FieldNode]:
        for node in selections.selections:
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, InlineFragmentNode):
                yield from self._root_fields(node.selection_set, seen)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
                seen.add(node.name.value)
                yield from self._root_fields(self._fragments[node.name.value].selection_set, seen)

    def _named_type(self, node: FieldNode, variables: Mapping[str, Any], used: set[str]) -> object:
        (argument,) = node.arguments or ()
        if isinstance(argument.value, VariableNode):
            used.add(argument.value.name.value)
            name = variables.get(argument.value.name.value)
        else:
            name = argument.value.value if isinstance(argument.value, StringValueNode) else None
        return self._schema.get_type(name) if isinstance(name, str) else None

    def _field_size(self, node: FieldNode, known: GraphQLField, value: Any) -> int:
        """The nodes of a field with a selection: the field, its objects, and the nodes of these objects."""
        kind: Any = get_named_type(known.type)
        is_list = isinstance(get_nullable_type(known.type), GraphQLList)
        elements = [each for each in (value if is_list and value is not None else (value,)) if each is not None]
        assert node.selection_set is not None
        return 1 + sum(1 + self._size(node.selection_set, kind, each) for each in elements)

    def _size(self, selections: SelectionSetNode, kind: Any, element: Any) -> int:
        key = (id(selections), _element_key(element))
        size = self._sizes.get(key)
        if size is None:
            self._sizes[key] = 0
            if self._limit is not None and len(self._sizes) > self._limit:
                raise TooExpensive(f"The document selects more than {self._limit:,} nodes of the schema.")
            size = self._sizes[key] = sum(self._size_of(node, kind, element) for node in selections.selections)
        return size

    def _size_of(self, node: Any, kind: Any, element: Any) -> int:
        if isinstance(node, FragmentSpreadNode):
            return self._size(self._fragments[node.name.value].selection_set, kind, element)
        if isinstance(node, InlineFragmentNode):
            return self._size(node.selection_set, kind, element)
        if node.selection_set is None:
            return _LEAF_COSTS.get(node.name.value, 1)
        known: Any = kind.fields[node.name.value]
        return self._field_size(node, known, known.resolve(element, self._info, **_with_deprecated(known)))


def _check_single_schema(fields: list[FieldNode]) -> None:
    if len({(node.alias or node.name).value for node in fields if node.name.value == "__schema"}) > 1:
        raise TooExpensive("An operation may select `__schema` only once: combine the selections under one alias.")


def _with_deprecated(known: GraphQLField) -> dict[str, bool]:
    return {"includeDeprecated": True} if "includeDeprecated" in known.args else {}


def _element_key(element: Any) -> object:
    """A key, equal for equal schema elements: types with the same text, members with the same name and object."""
    if isinstance(element, tuple):
        return element[0], id(element[1])
    return id(element) if isinstance(element, GraphQLSchema) else str(element)
