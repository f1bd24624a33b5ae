"""Calculates the depth and the cost of operations: how deep they nest, and how many fields they may resolve.

The cost depends on the values of variables, which request page sizes and decide what `@skip` and `@include` exclude.

Each fragment is measured only once, even if it is used several times. So the time is linear in the size of the text;
otherwise a chain of fragments that use each other twice would take exponential time. The code is not recursive, because
the client chooses the depth.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final, NamedTuple

from graphql import (
    BooleanValueNode,
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
    SelectionNode,
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
"""The size of a page whose size is not known: the maximum that the schema allows."""

LONG_TEXTS: Final = frozenset({"description", "details"})
"""The fields whose texts may have more than a thousand characters."""

MAX_COST: Final = 10**12
"""Costs are capped at this value, which is far above every limit."""

_EXCLUDING: Final = {"skip": True, "include": False}
"""The value with which a directive excludes a selection, by its name."""

Definition = OperationDefinitionNode | FragmentDefinitionNode
Sizes = Mapping[str, int]
"""The page sizes that the values of variables request, by the names of the variables."""

Switches = Mapping[str, bool | None]
"""The values of variables of `@skip` and `@include`, by their names. None is no boolean, and excludes nothing."""

_NO_SWITCHES: Final[Switches] = {}


class FragmentUse(NamedTuple):
    """A use of a fragment at a depth, for *times* objects. It counts unless `@skip` or `@include` excludes it."""

    name: str
    depth: int
    times: int
    counts: bool


@dataclass(slots=True)
class QueryCost:
    """The levels of nesting, the number of resolved fields, and whether there are introspection fields.

    A field in a list counts once for each item of a full page. Introspection fields are not counted here, but in
    `introspection.py`. `long_texts` is the number of resolved fields that are long texts.

    What `@skip` and `@include` exclude does not count in `cost`, because it is not resolved. It does in the others:
    validation visits it, and they are calculated once for all values of the variables.
    """

    depth: int = 0
    cost: int = 0
    introspects: bool = False
    long_texts: int = 0


@dataclass(slots=True)
class DefinitionCost(QueryCost):
    """The cost of one definition without its fragments; its uses of fragments; and the variables that affect its cost.

    `variables` are those of page sizes, and `switches` those of `@skip` and `@include`.
    """

    spreads: list[FragmentUse] = field(default_factory=list)
    variables: set[str] = field(default_factory=set)
    switches: set[str] = field(default_factory=set)


class _Scope(NamedTuple):
    selections: SelectionSetNode
    parent: GraphQLNamedType | None
    depth: int
    times: int
    counts: bool


class _Values(NamedTuple):
    sizes: Sizes
    switches: Switches


class CostCalculator:
    """Calculates the costs of documents for one schema."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema

    def costs_of(self, ast: DocumentNode, sizes: Sizes, switches: Switches = _NO_SWITCHES) -> "OperationCosts":
        """The cost of every operation with these page sizes and switches.

        It is the least one for the other variables: a variable that is not in *sizes* counts as 1, and one that is not
        in *switches* excludes what depends on it.

        Raises:
            GraphQLError: a fragment uses itself.
        """
        parts = [part for part in ast.definitions if isinstance(part, Definition)]
        values = _Values(sizes, switches)
        costs = [self._definition_cost(part, values) for part in parts]
        fragments = {
            part.name.value: cost
            for part, cost in zip(parts, costs, strict=True)
            if isinstance(part, FragmentDefinitionNode)
        }
        totals: dict[str, QueryCost] = {}
        for name in _innermost_first(fragments, parts):
            totals[name] = _total_cost(fragments[name], totals)
        operations = {
            part.name.value if part.name else "": _total_cost(cost, totals)
            for part, cost in zip(parts, costs, strict=True)
            if isinstance(part, OperationDefinitionNode)
        }
        return OperationCosts(
            operations,
            frozenset().union(*(cost.variables for cost in costs)),
            frozenset().union(*(cost.switches for cost in costs)),
        )

    def _definition_cost(self, definition: Definition, values: _Values) -> DefinitionCost:
        total = DefinitionCost()
        scopes = [_Scope(definition.selection_set, self._root_of(definition), 0, 1, counts=True)]
        while scopes:
            scope = scopes.pop()
            for node in scope.selections.selections:
                is_excluded = _is_excluded(node, values.switches, total.switches)
                inside = scope._replace(counts=False) if is_excluded else scope
                if isinstance(node, FieldNode):
                    scopes.extend(self._add_field(node, inside, total, values.sizes))
                elif isinstance(node, InlineFragmentNode):
                    parent = self._named(node.type_condition) if node.type_condition else scope.parent
                    scopes.append(inside._replace(selections=node.selection_set, parent=parent))
                elif isinstance(node, FragmentSpreadNode):
                    total.spreads.append(FragmentUse(node.name.value, scope.depth, scope.times, inside.counts))
        return total

    def _add_field(self, node: FieldNode, scope: _Scope, total: DefinitionCost, sizes: Sizes) -> Iterator[_Scope]:
        known = self._field(scope.parent, node.name.value)
        inner = get_named_type(known.type) if known else None
        if _is_introspection(node, scope.parent):
            total.introspects = True
            return
        if scope.counts:
            total.cost = min(MAX_COST, total.cost + scope.times)
        total.depth = max(total.depth, scope.depth + 1)
        if node.name.value in LONG_TEXTS:
            total.long_texts = min(MAX_COST, total.long_texts + scope.times)
        if node.selection_set:
            times = scope.times * _page_size(node, known, sizes, total.variables)
            yield _Scope(node.selection_set, inner, scope.depth + 1, min(MAX_COST, times), scope.counts)

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
    """The costs of a document's operations, by name ("" without one), and the variables that affect these costs.

    `variables` are those of page sizes, and `switches` those of `@skip` and `@include`.
    """

    operations: Mapping[str, QueryCost]
    variables: frozenset[str]
    switches: frozenset[str]


def size_of(value: object) -> int:
    """The page size that the value of a variable requests: a number, or the length of a list; 0 for null."""
    if value is None:
        return 0
    if isinstance(value, list):
        return max(1, len(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return max(1, min(value, MAX_PAGE))
    return MAX_PAGE


def default_sizes(operation: OperationDefinitionNode, names: Iterable[str]) -> dict[str, int]:
    """The page sizes that the default values of variables request; 0 for a variable without a default."""
    defaults = {each.variable.name.value: each.default_value for each in operation.variable_definitions or ()}
    return {name: _literal_size(defaults.get(name), {}, set()) for name in names}


def switch_of(value: object) -> bool | None:
    """The value of a variable of `@skip` or `@include`; None for a value that is no boolean, which executors refuse."""
    return value if isinstance(value, bool) else None


def default_switches(operation: OperationDefinitionNode, names: Iterable[str]) -> dict[str, bool | None]:
    """The default values of variables of `@skip` and `@include`; None for a variable without a default."""
    defaults = {each.variable.name.value: each.default_value for each in operation.variable_definitions or ()}
    found = {name: defaults.get(name) for name in names}
    return {name: node.value if isinstance(node, BooleanValueNode) else None for name, node in found.items()}


def default_texts(operation: OperationDefinitionNode, names: Iterable[str]) -> dict[str, str]:
    """The default values of variables, if they are strings."""
    defaults = {each.variable.name.value: each.default_value for each in operation.variable_definitions or ()}
    found = {name: defaults.get(name) for name in names}
    return {name: node.value for name, node in found.items() if isinstance(node, StringValueNode)}


def _page_size(node: FieldNode, known: GraphQLField | None, sizes: Sizes, variables: set[str]) -> int:
    # All long lists have an argument `first`, `last` or `ids`. Other lists are short and count once.
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    requested = [_literal_size(given[name], sizes, variables) for name in ("first", "last", "ids") if name in given]
    return max(requested, default=0) or _default_page_size(known)


def _default_page_size(known: GraphQLField | None) -> int:
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
    # A number with ten or more digits is not a valid page size. Do not parse it: that takes long for long numbers.
    if isinstance(value, IntValueNode) and len(value.value) < 10:
        return size_of(int(value.value))
    return MAX_PAGE


def _is_excluded(node: SelectionNode, switches: Switches, found: set[str]) -> bool:
    """Whether `@skip` or `@include` excludes a selection. Their variables are added to *found*."""
    is_excluded = False
    for directive in node.directives or ():
        excluding = _EXCLUDING.get(directive.name.value)
        for argument in directive.arguments or () if excluding is not None else ():
            value = argument.value
            if isinstance(value, VariableNode):
                name = value.name.value
                found.add(name)
                is_excluded |= switches.get(name, excluding) is excluding
            elif isinstance(value, BooleanValueNode):
                is_excluded |= value.value is excluding
    return is_excluded


def _is_introspection(node: FieldNode, parent: GraphQLNamedType | None) -> bool:
    return node.name.value in ("__schema", "__type") or (parent is not None and parent.name.startswith("__"))


def _innermost_first(fragments: Mapping[str, DefinitionCost], parts: Iterable[Definition]) -> Iterator[str]:
    graph = {
        name: {spread.name for spread in cost.spreads if spread.name in fragments} for name, cost in fragments.items()
    }
    try:
        yield from TopologicalSorter(graph).static_order()
    except CycleError as error:
        name = error.args[1][0]
        found = [part for part in parts if isinstance(part, FragmentDefinitionNode) and part.name.value == name]
        raise GraphQLError(f"Fragment '{name}' spreads itself, directly or through others.", found) from None


def _total_cost(definition: DefinitionCost, totals: Mapping[str, QueryCost]) -> QueryCost:
    total = QueryCost(definition.depth, definition.cost, definition.introspects, definition.long_texts)
    for name, depth, times, counts in definition.spreads:
        inner = totals.get(name, QueryCost())
        total.depth = max(total.depth, depth + inner.depth)
        if counts:
            total.cost = min(MAX_COST, total.cost + times * inner.cost)
        total.introspects |= inner.introspects
        total.long_texts = min(MAX_COST, total.long_texts + times * inner.long_texts)
    return total
