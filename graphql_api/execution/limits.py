"""The limits for documents. They are checked before validation and execution, which are expensive."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from graphql import (
    DefinitionNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    OperationDefinitionNode,
    SelectionNode,
)

from domain.errors import TooExpensive
from graphql_api.execution.query_cost import QueryCost

_ADVICE: Final = "Select less data at once, or split the document."


@dataclass(frozen=True, slots=True)
class Limits:
    """The maximum size of a document. The documentation for clients has the same numbers.

    `max_characters` and `max_tokens` limit the text; comments count as tokens. `max_depth` limits the nesting.
    `max_cost` limits the fields that one operation may resolve; every page counts with its full size. `max_fields`
    limits the fields in the text of the document: validation visits each of them several times. `max_overlap` limits
    the pairs of fields with the same response name: validation compares the fields of each pair.
    """

    max_depth: int = 12
    max_tokens: int = 2_000
    max_aliases: int = 30
    max_cost: int = 5_000
    max_characters: int = 64_000
    max_overlap: int = 5_000
    max_directives: int = 100
    max_fragments: int = 60
    max_operations: int = 20
    max_variables: int = 100
    max_fields: int = 1_000


@dataclass(slots=True)
class DocumentSize:
    """The numbers of the parts of a document."""

    aliases: int = 0
    directives: int = 0
    fragments: int = 0
    operations: int = 0
    variables: int = 0
    overlap: int = 0
    fields: int = 0


def check_text(limits: Limits, text: str) -> None:
    """Check the length of the text before it is parsed.

    Raises:
        TooExpensive: the text is too long.
    """
    _at_most(limits.max_characters, len(text), "characters")


def parser_limit_error(reason: str) -> TooExpensive:
    """The error for a text that exceeds a limit of the parser. *reason* is the sentence of the parser."""
    return TooExpensive(f"{reason} {_ADVICE}")


def check_shape(limits: Limits, ast: DocumentNode) -> None:
    """Check the numbers of the parts of a document, before validation. The time is linear in the size.

    Raises:
        TooExpensive: a limit is exceeded; the message names it.
    """
    size = document_size_of(ast)
    _at_most(limits.max_operations, size.operations, "operations")
    _at_most(limits.max_fragments, size.fragments, "fragments")
    _at_most(limits.max_variables, size.variables, "variables")
    _at_most(limits.max_directives, size.directives, "directives")
    _at_most(limits.max_aliases, size.aliases, "aliases")
    _at_most(limits.max_fields, size.fields, "fields")
    _at_most(limits.max_overlap, size.overlap, "pairs of fields with the same response name")


def check_operation(limits: Limits, cost: QueryCost) -> None:
    """Check the depth and the cost of an operation.

    Raises:
        TooExpensive: a limit is exceeded; the message names it.
    """
    _at_most(limits.max_depth, cost.depth, "levels of nesting")
    if cost.cost > limits.max_cost:
        raise TooExpensive(
            f"The operation could resolve {cost.cost:,} fields; at most {limits.max_cost:,} are allowed. "
            "Request smaller pages (`first` or `last`) or select fewer fields."
        )


def document_size_of(ast: DocumentNode) -> DocumentSize:
    """Count the parts of a document, in linear time and without recursion."""
    size = DocumentSize()
    names: Counter[str] = Counter()
    for definition in ast.definitions:
        _count_definition(definition, size)
        for node in _selections(definition):
            size.directives += len(node.directives or ())
            if isinstance(node, FieldNode):
                size.aliases += node.alias is not None
                names[(node.alias or node.name).value] += 1
    size.fields = names.total()
    size.overlap = sum(count * (count - 1) // 2 for count in names.values())
    return size


def _count_definition(definition: DefinitionNode, size: DocumentSize) -> None:
    size.fragments += isinstance(definition, FragmentDefinitionNode)
    size.directives += len(getattr(definition, "directives", None) or ())
    if isinstance(definition, OperationDefinitionNode):
        size.operations += 1
        size.variables += len(definition.variable_definitions or ())


def _selections(definition: DefinitionNode) -> Iterator[SelectionNode]:
    pending = [getattr(definition, "selection_set", None)]
    while pending:
        selected = pending.pop()
        for node in selected.selections if selected else ():
            yield node
            pending.append(getattr(node, "selection_set", None))


def _at_most(limit: int, count: int, what: str) -> None:
    if count > limit:
        raise TooExpensive(f"The document has {count:,} {what}; at most {limit:,} are allowed. {_ADVICE}")
