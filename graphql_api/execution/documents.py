"""Documents by their text: parsed, validated and measured once, however often they are sent."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import strawberry
from graphql import (
    DocumentNode,
    GraphQLError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    StringValueNode,
    ValuesOfCorrectTypeRule,
    Visitor,
    parse,
    specified_rules,
    validate,
    visit,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule

from domain.errors import BadRequest, Failure
from graphql_api.execution.bounded_cache import BoundedCache
from graphql_api.execution.introspection import Introspected, Introspection
from graphql_api.execution.limits import Limits, check_shape, check_text, check_weight, too_much
from graphql_api.execution.query_cost import (
    CostCalculator,
    OperationCosts,
    default_sizes,
    default_texts,
    name_of,
    size_of,
)
from graphql_api.execution.validation import ValuesOfCorrectType

_BYTES_PER_CHARACTER: Final = 110
"""Memory that a parsed document takes for each character of its text, locations included; measured."""

_MAX_ERRORS: Final = 5
"""Of validation: each may print a large part of the document."""

_MAX_NAMES: Final = 5
_MAX_SIZINGS: Final = 64
_PARSER_GAVE_UP: Final = " Parsing aborted."
_NO_SYNTAX: Final = "Syntax Error: "


class InvalidDocument(Exception):
    """The text is no document of this schema, or beyond a limit; `errors` say why, at least one."""

    def __init__(self, errors: tuple[Exception, ...]) -> None:
        super().__init__(f"{len(errors)} errors")
        self.errors = errors


@dataclass(slots=True, eq=False)
class Document:
    """A text that was found good: its tree, its operations by name ("" for one without), and what they weigh.

    `introspected` is what its operations ask of the schema itself, by the names of those that do. `known` is whether
    the document was sent again after its first time. `switches` and `plans` belong to the compiled executor.
    """

    text: str
    ast: DocumentNode
    operations: Mapping[str, OperationDefinitionNode]
    weights: OperationCosts
    introspected: Mapping[str, Introspected] = field(default_factory=dict)
    approved: set[tuple[str, tuple[object, ...]]] = field(default_factory=set)
    known: bool = False
    switches: dict[str, tuple[tuple[str, bool | None], ...]] = field(default_factory=dict)
    plans: dict[tuple[str, tuple[bool, ...]], Any] = field(default_factory=dict)

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation of that name, or the only one.

        Raises:
            BadRequest: there is none such, or a name is needed to choose.
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


class Documents:
    """The documents of one schema that were seen lately.

    *max_bytes* is memory, estimated from the length of the text. What is invalid is remembered apart, and little of
    it, so that garbage cannot push out what is good. With *suggestions* off, errors do not tell names of the schema.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        limits: Limits | None = None,
        *,
        introspection: bool = True,
        suggestions: bool = True,
        max_count: int = 1_000,
        max_bytes: int = 16 * 1024 * 1024,
    ) -> None:
        self._schema = schema._schema
        self._limits = limits or Limits()
        self._rules = [
            *(rule for rule in specified_rules if rule is not ValuesOfCorrectTypeRule),
            ValuesOfCorrectType,
            MaybeNullValidationRule,
        ]
        if not introspection:
            self._rules.append(NoSchemaIntrospectionCustomRule)
        self.suggestions = suggestions
        self._scale = CostCalculator(self._schema)
        self._introspection = Introspection(self._schema)
        self._good: BoundedCache[Document] = BoundedCache(max_count=max_count, max_bytes=max_bytes)
        self._bad: BoundedCache[tuple[Exception, ...]] = BoundedCache(max_count=100, max_bytes=max_bytes // 16)
        self.found = self.read = self.refused = 0
        """How many were asked for: here already, new and good, and no good."""

    def get(self, text: str) -> Document:
        """The document with this text.

        Raises:
            InvalidDocument: it is not one, or is beyond a limit.
        """
        document = self._good.get(text)
        if document is None:
            return self._first_sight(text)
        self.found += 1
        document.known = True
        return document

    def check_cost(self, document: Document, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> None:
        """Refuse an operation that is too expensive with these variables; free when none of them matters.

        Raises:
            TooExpensive: naming the limit.
        """
        if document.weights.variables:
            self._check_pages(document, operation, variables)
        if document.introspected:
            self._check_types(document, operation, variables)

    def _check_pages(
        self, document: Document, operation: OperationDefinitionNode, variables: Mapping[str, Any]
    ) -> None:
        names = document.weights.variables
        sizes = default_sizes(operation, names) | {
            name: size_of(variables[name]) for name in names if name in variables
        }
        key = (name_of(operation), tuple(sizes.values()))
        if key not in document.approved:
            check_weight(self._limits, self._scale.weigh(document.ast, sizes).operations[name_of(operation)])
            _approve(document, key)

    def _check_types(
        self, document: Document, operation: OperationDefinitionNode, variables: Mapping[str, Any]
    ) -> None:
        """Types that are named by variables have their sizes only now."""
        introspected = document.introspected.get(name_of(operation))
        if introspected is None or not introspected.variables:
            return
        names = default_texts(operation, introspected.variables) | {
            name: variables[name] for name in introspected.variables if isinstance(variables.get(name), str)
        }
        key = (name_of(operation), tuple(sorted(names.items())))
        if key not in document.approved:
            self._introspection.check(document.ast, operation, names)
            _approve(document, key)

    def _first_sight(self, text: str) -> Document:
        refused = self._bad.get(text)
        if refused is None:
            try:
                return self._accept(text)
            except (Failure, GraphQLError) as failure:
                refused = (failure,)
            except InvalidDocument as invalid:
                refused = invalid.errors
            self._bad.put(text, refused, size=len(text) * _BYTES_PER_CHARACTER)
        self.refused += 1
        raise InvalidDocument(refused)

    def _accept(self, text: str) -> Document:
        check_text(self._limits, text)
        ast = self._parse(text)
        weights = self._weigh(ast)
        check_shape(self._limits, ast)
        if errors := validate(self._schema, ast, self._rules, _MAX_ERRORS, not self.suggestions):
            # Behind the limit, graphql-core says that there are more; that has no place in the document.
            raise InvalidDocument(tuple(errors[:_MAX_ERRORS]))
        operations = dict(_by_name(ast))
        document = Document(text, ast, operations, weights, self._introspected(ast, operations, weights))
        self._good.put(text, document, size=len(text) * _BYTES_PER_CHARACTER)
        self.read += 1
        return document

    def _parse(self, text: str) -> DocumentNode:
        try:
            ast = parse(text, max_tokens=self._limits.max_tokens)
        except GraphQLError as error:
            if error.message.endswith(_PARSER_GAVE_UP):
                raise too_much(error.message.removeprefix(_NO_SYNTAX).removesuffix(_PARSER_GAVE_UP)) from None
            raise InvalidDocument((error,)) from None
        if "\\u" in text:
            visit(ast, _RefuseNul())
        return ast

    def _weigh(self, ast: DocumentNode) -> OperationCosts:
        # Variables count as 1 here: what even that does not save is refused once and for all.
        weights = self._scale.weigh(ast, {})
        for weight in weights.operations.values():
            check_weight(self._limits, weight)
        return weights

    def _introspected(
        self, ast: DocumentNode, operations: Mapping[str, OperationDefinitionNode], weights: OperationCosts
    ) -> dict[str, Introspected]:
        asking = {name: each for name, each in operations.items() if weights.operations[name].introspects}
        return dict(zip(asking, self._introspection.check_each(ast, asking.values()), strict=True))


class _RefuseNul(Visitor):
    """The lexer takes an escaped NUL for a character; PostgreSQL does not."""

    def enter_string_value(self, node: StringValueNode, *_: object) -> None:
        if "\x00" in node.value:
            raise GraphQLError("The document contains a character that is not text (NUL).", node)


def _approve(document: Document, key: tuple[str, tuple[object, ...]]) -> None:
    if len(document.approved) >= _MAX_SIZINGS:
        document.approved.clear()
    document.approved.add(key)


def _by_name(ast: DocumentNode) -> Iterator[tuple[str, OperationDefinitionNode]]:
    for part in ast.definitions:
        if isinstance(part, OperationDefinitionNode):
            yield name_of(part), part
