"""How deep a document goes and how many fields it may resolve, in one pass over every definition.

A fragment is measured once however often it is spread, so the effort is linear in the text (a chain of fragments
that spread each other twice is the classic exponential). Nothing here recurses: nesting is the attacker's to choose.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NamedTypeNode,
    NullValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    get_named_type,
    is_interface_type,
    is_object_type,
)

from persistence.pagination import DEFAULT_PAGE

MAX_PAGE: Final = 100
"""What a page whose size cannot be known counts as: the most that the schema allows."""

CEILING: Final = 10**12
"""Weights beyond this are all the same: far too much."""

Definition = OperationDefinitionNode | FragmentDefinitionNode
Sizes = Mapping[str, int]
"""Variable → how many items it asks for."""


class FragmentUse(NamedTuple):
    """A fragment used at a depth, as often as *times*."""

    name: str
    depth: int
    times: int


@dataclass(slots=True)
class QueryCost:
    """Levels of nesting; fields resolved, lists counted by their pages; and whether the schema itself is asked for.

    What is asked of the schema is in neither number: `introspection.py` counts it.
    """

    depth: int = 0
    cost: int = 0
    introspects: bool = False


@dataclass(slots=True)
class DefinitionCost(QueryCost):
    """What one definition holds by itself, the fragments it spreads, and the variables that size its pages."""

    spreads: list[FragmentUse] = field(default_factory=list)
    variables: set[str] = field(default_factory=set)


class _Place(NamedTuple):
    selections: SelectionSetNode
    parent: GraphQLNamedType | None
    depth: int
    times: int


class CostCalculator:
    """Weighs documents against one schema."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema

    def weigh(self, ast: DocumentNode, sizes: Sizes) -> "OperationCosts":
        """The weight of every operation, under these page sizes; a variable that is not among them counts as 1.

        Raises:
            GraphQLError: a fragment spreads itself.
        """
        parts = [part for part in ast.definitions if isinstance(part, Definition)]
        shares = [self._share(part, sizes) for part in parts]
        fragments = {
            part.name.value: share
            for part, share in zip(parts, shares, strict=True)
            if isinstance(part, FragmentDefinitionNode)
        }
        totals: dict[str, QueryCost] = {}
        for name in _innermost_first(fragments, parts):
            totals[name] = _total(fragments[name], totals)
        operations = {
            name_of(part): _total(share, totals)
            for part, share in zip(parts, shares, strict=True)
            if isinstance(part, OperationDefinitionNode)
        }
        return OperationCosts(operations, frozenset().union(*(share.variables for share in shares)))

    def _share(self, definition: Definition, sizes: Sizes) -> DefinitionCost:
        share = DefinitionCost()
        places = [_Place(definition.selection_set, self._root_of(definition), 0, 1)]
        while places:
            place = places.pop()
            for node in place.selections.selections:
                if isinstance(node, FieldNode):
                    places.extend(self._enter(node, place, share, sizes))
                elif isinstance(node, InlineFragmentNode):
                    parent = self._named(node.type_condition) if node.type_condition else place.parent
                    places.append(place._replace(selections=node.selection_set, parent=parent))
                elif isinstance(node, FragmentSpreadNode):
                    share.spreads.append(FragmentUse(node.name.value, place.depth, place.times))
        return share

    def _enter(self, node: FieldNode, place: _Place, share: DefinitionCost, sizes: Sizes) -> Iterator[_Place]:
        known = self._field(place.parent, node.name.value)
        inner = get_named_type(known.type) if known else None
        if _is_introspection(node, place.parent):
            share.introspects = True
            return
        share.cost = min(CEILING, share.cost + place.times)
        share.depth = max(share.depth, place.depth + 1)
        if node.selection_set:
            times = place.times * _page(node, known, sizes, share.variables)
            yield _Place(node.selection_set, inner, place.depth + 1, min(CEILING, times))

    def _root_of(self, definition: Definition) -> GraphQLNamedType | None:
        if isinstance(definition, FragmentDefinitionNode):
            return self._named(definition.type_condition)
        return self._schema.get_root_type(definition.operation)

    def _named(self, node: NamedTypeNode) -> GraphQLNamedType | None:
        return self._schema.get_type(node.name.value)

    def _field(self, parent: GraphQLNamedType | None, name: str) -> GraphQLField | None:
        if is_object_type(parent) or is_interface_type(parent):
            return self._schema.get_field(parent, name)
        return None


@dataclass(frozen=True, slots=True)
class OperationCosts:
    """What each operation of a document weighs, by name, and the variables that could change it."""

    operations: Mapping[str, QueryCost]
    variables: frozenset[str]


def name_of(operation: OperationDefinitionNode) -> str:
    """The operation's name, or "" when it has none."""
    return operation.name.value if operation.name else ""


def size_of(value: object) -> int:
    """How many items a variable's value asks for, between 1 and a page: a number, or a list's length; null: 0."""
    if value is None:
        return 0
    if isinstance(value, list):
        return max(1, len(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return max(1, min(value, MAX_PAGE))
    return MAX_PAGE


def default_sizes(operation: OperationDefinitionNode, names: Iterable[str]) -> dict[str, int]:
    """The page sizes of an operation's own defaults; a variable without one is as if the argument were left out: 0."""
    defaults = {each.variable.name.value: each.default_value for each in operation.variable_definitions or ()}
    return {name: _literal_size(defaults.get(name), {}, set()) for name in names}


def default_texts(operation: OperationDefinitionNode, names: Iterable[str]) -> dict[str, str]:
    """The defaults of an operation's variables that are strings."""
    defaults = {each.variable.name.value: each.default_value for each in operation.variable_definitions or ()}
    found = {name: defaults.get(name) for name in names}
    return {name: node.value for name, node in found.items() if isinstance(node, StringValueNode)}


def _page(node: FieldNode, known: GraphQLField | None, sizes: Sizes, variables: set[str]) -> int:
    # What can grow is a connection and takes `first` or `last`; other lists are small, whole, and counted once.
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    asked = [_literal_size(given[name], sizes, variables) for name in ("first", "last", "ids") if name in given]
    return max(asked, default=0) or _default_page(known)


def _default_page(known: GraphQLField | None) -> int:
    argument = known.args.get("first") if known else None
    if argument is None:
        return 1
    default: Any = argument.default.value if argument.default else argument.default_value
    return MAX_PAGE if default is Undefined else size_of(default) or DEFAULT_PAGE


def _literal_size(value: ValueNode | None, sizes: Sizes, variables: set[str]) -> int:
    if value is None or isinstance(value, NullValueNode):
        return 0
    if isinstance(value, VariableNode):
        variables.add(value.name.value)
        return sizes.get(value.name.value, 1)
    if isinstance(value, ListValueNode):
        return max(1, len(value.values))
    # A page of ten digits or more is no page; not parsing it spares the time that a long number takes.
    if isinstance(value, IntValueNode) and len(value.value) < 10:
        return size_of(int(value.value))
    return MAX_PAGE


def _is_introspection(node: FieldNode, parent: GraphQLNamedType | None) -> bool:
    return node.name.value in ("__schema", "__type") or (parent is not None and parent.name.startswith("__"))


def _innermost_first(fragments: Mapping[str, DefinitionCost], parts: Iterable[Definition]) -> Iterator[str]:
    graph = {
        name: {spread.name for spread in share.spreads if spread.name in fragments} for name, share in fragments.items()
    }
    try:
        yield from TopologicalSorter(graph).static_order()
    except CycleError as error:
        name = error.args[1][0]
        found = [part for part in parts if isinstance(part, FragmentDefinitionNode) and part.name.value == name]
        raise GraphQLError(f"Fragment '{name}' spreads itself, directly or through others.", found) from None


def _total(share: DefinitionCost, totals: Mapping[str, QueryCost]) -> QueryCost:
    total = QueryCost(share.depth, share.cost, share.introspects)
    for name, depth, times in share.spreads:
        inner = totals.get(name, QueryCost())
        total.depth = max(total.depth, depth + inner.depth)
        total.cost = min(CEILING, total.cost + times * inner.cost)
        total.introspects |= inner.introspects
    return total
