"""The limits of a document, and the refusal of what is beyond them before anything expensive looks at it."""

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

_ADVICE: Final = "Ask for less at once, or split the document."


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a document may be; `docs` and the schema tell clients the same numbers.

    `max_characters` and `max_tokens` bound the text (comments count as tokens), `max_depth` the levels of nesting,
    `max_cost` the fields that one operation may resolve, each page counted in full. `max_fields` bounds the fields
    that the document itself has, each of which validation looks at several times. `max_overlap` bounds the pairs
    of fields that share a response name anywhere in the document: validation compares each with each.
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
    """What is counted in a whole document."""

    aliases: int = 0
    directives: int = 0
    fragments: int = 0
    operations: int = 0
    variables: int = 0
    overlap: int = 0
    fields: int = 0


def check_text(limits: Limits, text: str) -> None:
    """Refuse a text that is not even worth parsing.

    Raises:
        TooExpensive: it is too long.
    """
    _at_most(limits.max_characters, len(text), "characters")


def too_much(why: str) -> TooExpensive:
    """The refusal of a text that the parser gave up on, for a reason that it tells in a sentence."""
    return TooExpensive(f"{why} {_ADVICE}")


def check_shape(limits: Limits, ast: DocumentNode) -> None:
    """Refuse a document whose validation would take long, in time linear to its size.

    Raises:
        TooExpensive: naming the limit.
    """
    tally = document_size_of(ast)
    _at_most(limits.max_operations, tally.operations, "operations")
    _at_most(limits.max_fragments, tally.fragments, "fragments")
    _at_most(limits.max_variables, tally.variables, "variables")
    _at_most(limits.max_directives, tally.directives, "directives")
    _at_most(limits.max_aliases, tally.aliases, "aliases")
    _at_most(limits.max_fields, tally.fields, "fields")
    _at_most(limits.max_overlap, tally.overlap, "pairs of fields with the same response name")


def check_weight(limits: Limits, weight: QueryCost) -> None:
    """Refuse an operation that is too deep or resolves too much.

    Raises:
        TooExpensive: naming the limit.
    """
    _at_most(limits.max_depth, weight.depth, "levels of nesting")
    if weight.cost > limits.max_cost:
        raise TooExpensive(
            f"The operation could resolve {weight.cost:,} fields; at most {limits.max_cost:,} are allowed. "
            "Ask for smaller pages (`first` or `last`) or fewer fields."
        )


def document_size_of(ast: DocumentNode) -> DocumentSize:
    """Count a document; linear, and without recursion."""
    tally = DocumentSize()
    names: Counter[str] = Counter()
    for definition in ast.definitions:
        _count_definition(definition, tally)
        for node in _selections(definition):
            tally.directives += len(node.directives or ())
            if isinstance(node, FieldNode):
                tally.aliases += node.alias is not None
                names[(node.alias or node.name).value] += 1
    tally.fields = names.total()
    tally.overlap = sum(count * (count - 1) // 2 for count in names.values())
    return tally


def _count_definition(definition: DefinitionNode, tally: DocumentSize) -> None:
    tally.fragments += isinstance(definition, FragmentDefinitionNode)
    tally.directives += len(getattr(definition, "directives", None) or ())
    if isinstance(definition, OperationDefinitionNode):
        tally.operations += 1
        tally.variables += len(definition.variable_definitions or ())


def _selections(definition: DefinitionNode) -> Iterator[SelectionNode]:
    waiting = [getattr(definition, "selection_set", None)]
    while waiting:
        selected = waiting.pop()
        for node in selected.selections if selected else ():
            yield node
            waiting.append(getattr(node, "selection_set", None))


def _at_most(limit: int, count: int, what: str) -> None:
    if count > limit:
        raise TooExpensive(f"The document has {count:,} {what}; at most {limit:,} are allowed. {_ADVICE}")
