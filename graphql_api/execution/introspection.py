"""How large the answer to an introspection query is, counted in the schema before anything is executed."""

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
"""The limit: so many times the nodes that the standard introspection query has, with all its options."""

_COSTLY: Final = {"defaultValue": 10}
"""Leaves that take as long as several others: a default value is converted to a literal and printed."""

_META: Final = {"__schema", "__type", "__typename"}


@dataclass(slots=True)
class Introspected:
    """What an operation asks of the schema itself.

    `nodes` counts the fields and the objects of the answer; deprecated members, and what `@skip` may leave out, count
    as well. `variables` name a type, and `alone` is whether the operation asks for nothing else.
    """

    nodes: int = 0
    variables: set[str] = field(default_factory=set)
    alone: bool = True


class Introspection:
    """Counts introspection queries against one schema, and refuses those that are too large."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self.limit = round(HEADROOM * self._standard_size())

    def check(
        self, ast: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]
    ) -> Introspected:
        """What a validated operation asks of the schema; a type whose name is not among the variables counts as none.

        Raises:
            TooExpensive: it asks for `__schema` more than once, or for too many nodes.
        """
        return self._checked(_Counter(self._schema, ast, self.limit), operation, variables)

    def check_each(self, ast: DocumentNode, operations: Iterable[OperationDefinitionNode]) -> list[Introspected]:
        """What each of these operations asks of the schema, as `check` says; the effort for all of them is bounded.

        Raises:
            TooExpensive: one of them is too large, or all of them together are.
        """
        counter = _Counter(self._schema, ast, self.limit)
        return [self._checked(counter, operation, {}) for operation in operations]

    def _checked(
        self, counter: "_Counter", operation: OperationDefinitionNode, variables: Mapping[str, Any]
    ) -> Introspected:
        found = counter.count(operation, variables)
        if found.nodes > self.limit:
            raise TooExpensive(
                f"The introspection answer would have {found.nodes:,} nodes; at most {self.limit:,} are allowed. "
                "Ask for fewer types or fields at once."
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
    """Counts one document.

    What a selection has below one element of the schema is counted once, however often it occurs in the answers. Each
    such pair is at least one node, so that the effort is bounded by the limit, for all operations together.
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
        found = Introspected(alone=operation.operation is OperationType.QUERY)
        fields = list(self._at_the_root(operation.selection_set, set()))
        _check_once(fields)
        for node in fields:
            found.alone &= node.name.value in _META
            if node.name.value == "__schema":
                found.nodes += self._below(node, SchemaMetaFieldDef, self._schema)
            elif node.name.value == "__type":
                found.nodes += self._below(node, TypeMetaFieldDef, self._named(node, variables, found.variables))
        return found

    def _at_the_root(self, selections: SelectionSetNode, seen: set[str]) -> Iterator[FieldNode]:
        for node in selections.selections:
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, InlineFragmentNode):
                yield from self._at_the_root(node.selection_set, seen)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
                seen.add(node.name.value)
                yield from self._at_the_root(self._fragments[node.name.value].selection_set, seen)

    def _named(self, node: FieldNode, variables: Mapping[str, Any], used: set[str]) -> object:
        (argument,) = node.arguments or ()
        if isinstance(argument.value, VariableNode):
            used.add(argument.value.name.value)
            name = variables.get(argument.value.name.value)
        else:
            name = argument.value.value if isinstance(argument.value, StringValueNode) else None
        return self._schema.get_type(name) if isinstance(name, str) else None

    def _below(self, node: FieldNode, known: GraphQLField, value: Any) -> int:
        """The nodes of a field that has a selection: itself, its objects, and what they have."""
        kind: Any = get_named_type(known.type)
        several = isinstance(get_nullable_type(known.type), GraphQLList)
        elements = [each for each in (value if several and value is not None else (value,)) if each is not None]
        assert node.selection_set is not None
        return 1 + sum(1 + self._size(node.selection_set, kind, each) for each in elements)

    def _size(self, selections: SelectionSetNode, kind: Any, element: Any) -> int:
        key = (id(selections), _identity(element))
        size = self._sizes.get(key)
        if size is None:
            self._sizes[key] = 0
            if self._limit is not None and len(self._sizes) > self._limit:
                raise TooExpensive(f"The document asks for more than {self._limit:,} nodes of the schema.")
            size = self._sizes[key] = sum(self._size_of(node, kind, element) for node in selections.selections)
        return size

    def _size_of(self, node: Any, kind: Any, element: Any) -> int:
        if isinstance(node, FragmentSpreadNode):
            return self._size(self._fragments[node.name.value].selection_set, kind, element)
        if isinstance(node, InlineFragmentNode):
            return self._size(node.selection_set, kind, element)
        if node.selection_set is None:
            return _COSTLY.get(node.name.value, 1)
        known: Any = kind.fields[node.name.value]
        return self._below(node, known, known.resolve(element, self._info, **_everything(known)))


def _check_once(fields: list[FieldNode]) -> None:
    if len({(node.alias or node.name).value for node in fields if node.name.value == "__schema"}) > 1:
        raise TooExpensive("An operation may have `__schema` once: ask for all that you need under one alias.")


def _everything(known: GraphQLField) -> dict[str, bool]:
    return {"includeDeprecated": True} if "includeDeprecated" in known.args else {}


def _identity(element: Any) -> object:
    """Equal for elements that look alike: types of the same text, members of the same name and object."""
    if isinstance(element, tuple):
        return element[0], id(element[1])
    return id(element) if isinstance(element, GraphQLSchema) else str(element)
