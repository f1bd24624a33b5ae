"""A valid document, with what is known about it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import DocumentNode, FieldNode, OperationDefinitionNode

from domain.errors import BadRequest
from graphql_api.execution.introspection import Introspected
from graphql_api.execution.query_cost import OperationCosts

_MAX_NAMES: Final = 5
_MAX_CHECKED: Final = 64


@dataclass(slots=True, eq=False)
class Document:
    """A valid document: its syntax tree, its operations by name ("" for an operation without a name), and their costs.

    `introspected` has an entry for each operation that selects introspection fields. `large` has the names of the
    operations whose responses may have many long texts. `checked` contains the values of variables for which a cost was
    already checked. `known` is whether the document was sent more than once, or is trusted. `switches` and `plans`
    belong to the compiled executor.
    """

    text: str
    ast: DocumentNode
    operations: Mapping[str, OperationDefinitionNode]
    costs: OperationCosts
    introspected: Mapping[str, Introspected] = field(default_factory=dict)
    large: Collection[str] = ()
    checked: set[tuple[str, tuple[object, ...]]] = field(default_factory=set)
    known: bool = False
    switches: dict[str, tuple[tuple[str, bool | None], ...]] = field(default_factory=dict)
    plans: dict[tuple[str, tuple[bool, ...]], Any] = field(default_factory=dict)

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation with this name; without a name, the only operation.

        Raises:
            BadRequest: there is no such operation, or there are several and *name* is missing.
        """
        if name:
            return self._named(name)
        if len(self.operations) > 1:
            raise BadRequest(f"The document holds several operations: say with operationName which one, {self._names}.")
        if not self.operations:
            raise BadRequest("The document holds fragments only, and no operation to run.")
        return next(iter(self.operations.values()))

    def _named(self, name: str) -> OperationDefinitionNode:
        if name not in self.operations:
            raise BadRequest(f"The document holds no operation named {name[:100]!r}, only {self._names}.")
        return self.operations[name]

    @property
    def _names(self) -> str:
        names = [repr(name[:100]) if name else "one without a name" for name in self.operations]
        return " or ".join(names[:_MAX_NAMES]) + (" or others" if len(names) > _MAX_NAMES else "")

    def mark_checked(self, key: tuple[str, tuple[object, ...]]) -> None:
        """Remember that the cost of an operation was checked for these values."""
        if len(self.checked) >= _MAX_CHECKED:
            self.checked.clear()
        self.checked.add(key)


def name_of(operation: OperationDefinitionNode) -> str:
    """The operation's name, or "" when it has none."""
    return operation.name.value if operation.name else ""


def label_of(operation: OperationDefinitionNode) -> str:
    """The operation's name, or its type and its first field, for people."""
    first = operation.selection_set.selections[0]
    field = first.name.value if isinstance(first, FieldNode) else "…"
    return name_of(operation) or f"{operation.operation.value} {field}"
