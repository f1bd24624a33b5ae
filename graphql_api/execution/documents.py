"""A cache of documents: each text is parsed and validated, and its cost is calculated, only once."""

import asyncio
from collections.abc import Callable, Container, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import monotonic, sleep
from typing import Any, Final, TypeVar

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

from domain.errors import Failure, Unavailable
from domain.trusted_document import MAX_DOCUMENTS
from graphql_api.execution.bounded_cache import BoundedCache
from graphql_api.execution.document import Document, name_of
from graphql_api.execution.introspection import Introspected, Introspection
from graphql_api.execution.limits import Limits, check_operation, check_shape, check_text, parser_limit_error
from graphql_api.execution.query_cost import (
    MAX_PAGE,
    CostCalculator,
    OperationCosts,
    Sizes,
    Switches,
    default_sizes,
    default_switches,
    default_texts,
    size_of,
    switch_of,
)
from graphql_api.execution.validation import ValuesOfCorrectType

_BYTES_PER_CHARACTER: Final = 110
"""The memory of a parsed document per character of its text, including locations (measured)."""

_MAX_ERRORS: Final = 5
"""The maximum number of validation errors: each may quote a large part of the document."""

_MAX_LONG_TEXTS: Final = 200
"""Long texts of a response that is encoded at once: 200 have 12 MB if each character is escaped."""

MAX_WAITING: Final = 100
"""The new long documents that wait for the thread. Each takes some milliseconds, and keeps its text in memory."""

MAX_AT_ONCE: Final = 500
"""The longest text that is examined in the event loop, in characters. That takes a few milliseconds at most."""

MAX_TRUSTED_BYTES: Final = 192 * 1024 * 1024
"""The memory of trusted documents, per process. Of those beyond it, the least recently used ones are parsed again."""

_PARSING_ABORTED: Final = " Parsing aborted."
_SYNTAX_ERROR: Final = "Syntax Error: "


WorkT = TypeVar("WorkT")
ResultT = TypeVar("ResultT")

Errors = tuple[Exception, ...]
"""Why a document is invalid. It has at least one entry."""


class InvalidDocument(Exception):
    """The text is not a valid document for this schema, or exceeds a limit."""

    def __init__(self, errors: Errors) -> None:
        super().__init__(f"{len(errors)} errors")
        self.errors = errors


class Documents:
    """A cache of the recent documents of one schema.

    *max_bytes* limits the memory, which is estimated from the length of the texts. Invalid documents have a small
    separate cache, so that they cannot displace valid ones, and trusted documents have one of *max_trusted_bytes*.
    Without *suggestions*, errors do not suggest names of the schema.
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
        max_trusted_bytes: int = MAX_TRUSTED_BYTES,
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
        self._calculator = CostCalculator(self._schema)
        self._introspection = Introspection(self._schema)
        self._valid: BoundedCache[Document] = BoundedCache(max_count=max_count, max_bytes=max_bytes)
        self._invalid: BoundedCache[Errors] = BoundedCache(max_count=100, max_bytes=max_bytes // 16)
        self._trusted: BoundedCache[Document] = BoundedCache(max_count=MAX_DOCUMENTS, max_bytes=max_trusted_bytes)
        self._trusted_texts: Container[str] = ()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="documents")
        self._rest_until = 0.0
        self._examining: dict[str, asyncio.Future[Document | Errors]] = {}
        self.found = self.read = self.refused = 0
        """The number of requests for documents that were in the cache, that were new, and that were invalid."""

    def knows(self, text: str) -> bool:
        """Whether the document with this text is in the cache. This does not count as a use of it."""
        return text in self._valid or text in self._trusted

    def trust(self, texts: Container[str]) -> None:
        """Keep the documents with these texts, and no others, in a cache from which others do not displace them.

        They may have plans from their first request on.
        """
        self._trusted_texts = texts
        for text in self._trusted.oldest_first():
            if text not in texts:
                self._trusted.take(text)
        for text in self._valid.oldest_first():
            if text in texts and (document := self._valid.take(text)) is not None:
                self._store(document)

    async def prepare(self, text: str, plan: Callable[[Document], None]) -> None:
        """Examine a document in the thread before it is sent, and make its plans with *plan*.

        Raises:
            InvalidDocument: the document is not valid, or exceeds a limit.
            Unavailable: too many new documents wait for the thread.
        """
        document = self._trusted.get(text)
        if document is None:
            document = self._valid_or_raise(await self._examine_in_thread(text))
        await asyncio.get_running_loop().run_in_executor(self._thread, self._and_rest, plan, document)

    def get(self, text: str) -> Document:
        """The document with this text.

        Raises:
            InvalidDocument: the document is not valid, or exceeds a limit.
        """
        outcome = self._cached(text)
        if outcome is None:
            outcome = self._examine(text)
            self._keep(text, outcome)
        return self._valid_or_raise(outcome)

    async def get_async(self, text: str) -> Document:
        """The document with this text. If it is long and new, a thread parses and validates it.

        Raises:
            InvalidDocument: the document is not valid, or exceeds a limit.
            Unavailable: too many new documents wait for that.
        """
        if len(text) <= MAX_AT_ONCE or len(text) > self._limits.max_characters:
            return self.get(text)
        outcome = self._cached(text)
        if outcome is None:
            outcome = await self._examine_in_thread(text)
        return self._valid_or_raise(outcome)

    def check_cost(self, document: Document, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> None:
        """Check the cost of an operation with these variables. It does nothing if no variable affects the cost.

        A cost is remembered with the values of the variables that affect it, so that other values are checked, too.

        Raises:
            TooExpensive: a limit is exceeded; the message names it.
        """
        if document.costs.variables or document.costs.switches:
            self._check_values(document, operation, variables)
        if document.introspected:
            self._check_types(document, operation, variables)

    def _check_values(
        self, document: Document, operation: OperationDefinitionNode, variables: Mapping[str, Any]
    ) -> None:
        """Check the cost with the page sizes that variables request, and with what they exclude."""
        name = name_of(operation)
        sizes, switches = _affecting(document, operation, variables)
        key = (name, (*sizes.values(), *switches.values()))
        if key not in document.checked:
            check_operation(self._limits, self._calculator.costs_of(document.ast, sizes, switches).operations[name])
            document.mark_checked(key)

    def cost_of(self, document: Document, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> int:
        """The number of fields that the operation can resolve with these variables."""
        costs, name = document.costs, name_of(operation)
        if not costs.variables and not costs.switches:
            return costs.operations[name].cost
        sizes, switches = _affecting(document, operation, variables)
        return self._calculator.costs_of(document.ast, sizes, switches).operations[name].cost

    def _check_types(
        self, document: Document, operation: OperationDefinitionNode, variables: Mapping[str, Any]
    ) -> None:
        """Check introspection queries with variables for the names of types: their size depends on the values."""
        introspected = document.introspected.get(name_of(operation))
        if introspected is None or not introspected.variables:
            return
        names = default_texts(operation, introspected.variables) | {
            name: variables[name] for name in introspected.variables if isinstance(variables.get(name), str)
        }
        key = (name_of(operation), tuple(sorted(names.items())))
        if key not in document.checked:
            self._introspection.check(document.ast, operation, names)
            document.mark_checked(key)

    def _cached(self, text: str) -> "Document | Errors | None":
        document = self._valid.get(text)
        if document is None:
            document = self._trusted.get(text)
        if document is None:
            return self._invalid.get(text)
        self.found += 1
        document.known = True
        return document

    def _valid_or_raise(self, outcome: "Document | Errors") -> Document:
        if isinstance(outcome, Document):
            return outcome
        self.refused += 1
        raise InvalidDocument(outcome)

    async def _examine_in_thread(self, text: str) -> "Document | Errors":
        future = self._examining.get(text)
        if future is None:
            if len(self._examining) >= MAX_WAITING:
                raise Unavailable("Too many new documents arrive at this moment; try again later.")
            future = asyncio.get_running_loop().run_in_executor(self._thread, self._and_rest, self._examine, text)
            self._examining[text] = future
            future.add_done_callback(partial(self._examined, text))
            # A client that disconnects must not cancel what others wait for.
            return await asyncio.shield(future)
        outcome = await asyncio.shield(future)
        return self._cached(text) or outcome  # it counts as found

    def _and_rest(self, work: Callable[[WorkT], ResultT], argument: WorkT) -> ResultT:
        """Do some work, after a rest that is as long as the work before it has taken.

        The thread holds the interpreter's lock while it works. Without rests, a flood of documents would leave the
        event loop a small part of the time.
        """
        sleep(max(0.0, self._rest_until - monotonic()))
        began = monotonic()
        try:
            return work(argument)
        finally:
            self._rest_until = 2 * monotonic() - began

    def close(self) -> None:
        """Forget the documents that wait for the thread, and let it end."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _examined(self, text: str, future: "asyncio.Future[Document | Errors]") -> None:
        del self._examining[text]
        if not future.cancelled() and future.exception() is None:
            self._keep(text, future.result())

    def _keep(self, text: str, outcome: "Document | Errors") -> None:
        if isinstance(outcome, Document):
            self._store(outcome)
            self.read += 1
        else:
            self._invalid.put(text, outcome, size=_size_of(text))

    def _store(self, document: Document) -> None:
        is_trusted = document.text in self._trusted_texts
        document.known = document.known or is_trusted
        (self._trusted if is_trusted else self._valid).put(document.text, document, size=_size_of(document.text))

    def _examine(self, text: str) -> "Document | Errors":
        """Parse and validate a text. This changes nothing, so that a thread can do it."""
        try:
            return self._load(text)
        except (Failure, GraphQLError) as failure:
            return (failure,)
        except InvalidDocument as invalid:
            return invalid.errors

    def _load(self, text: str) -> Document:
        check_text(self._limits, text)
        ast = self._parse(text)
        costs = self._checked_costs(ast)
        check_shape(self._limits, ast)
        if errors := validate(self._schema, ast, self._rules, _MAX_ERRORS, not self.suggestions):
            # After the last error, graphql-core appends one that says that there are more. It has no location.
            raise InvalidDocument(tuple(errors[:_MAX_ERRORS]))
        operations = dict(_by_name(ast))
        introspected = self._introspected(ast, operations, costs)
        return Document(text, ast, operations, costs, introspected, _large(costs))

    def _parse(self, text: str) -> DocumentNode:
        try:
            ast = parse(text, max_tokens=self._limits.max_tokens)
        except GraphQLError as error:
            if error.message.endswith(_PARSING_ABORTED):
                reason = error.message.removeprefix(_SYNTAX_ERROR).removesuffix(_PARSING_ABORTED)
                raise parser_limit_error(reason) from None
            raise InvalidDocument((error,)) from None
        if "\\u" in text:
            visit(ast, _RefuseNul())
        return ast

    def _checked_costs(self, ast: DocumentNode) -> OperationCosts:
        # Each page whose size is a variable counts as 1 here, and what depends on a variable of `@skip` or `@include`
        # counts as excluded. A document that is too expensive even then is always refused.
        costs = self._calculator.costs_of(ast, {})
        for cost in costs.operations.values():
            check_operation(self._limits, cost)
        return costs

    def _introspected(
        self, ast: DocumentNode, operations: Mapping[str, OperationDefinitionNode], costs: OperationCosts
    ) -> dict[str, Introspected]:
        introspecting = {name: each for name, each in operations.items() if costs.operations[name].introspects}
        return dict(zip(introspecting, self._introspection.check_each(ast, introspecting.values()), strict=True))


def _size_of(text: str) -> int:
    """The memory of a parsed document, in bytes."""
    return len(text) * _BYTES_PER_CHARACTER


class _RefuseNul(Visitor):
    """Refuses escaped NUL characters: the lexer accepts them, but PostgreSQL cannot store them."""

    def enter_string_value(self, node: StringValueNode, *_: object) -> None:
        if "\x00" in node.value:
            raise GraphQLError("The document contains a character that is not text (NUL).", node)


def _affecting(
    document: Document, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> tuple[Sizes, Switches]:
    """The values of variables that affect the cost: the page sizes, and what decides what is excluded."""
    costs = document.costs
    sizes = {each: size_of(variables[each]) for each in costs.variables if each in variables}
    switches = {each: switch_of(variables[each]) for each in costs.switches if each in variables}
    return default_sizes(operation, costs.variables) | sizes, default_switches(operation, costs.switches) | switches


def _large(costs: OperationCosts) -> list[str]:
    """The operations that may resolve too many long texts. A page whose size is a variable counts as the longest."""
    pages = MAX_PAGE if costs.variables else 1
    return [name for name, cost in costs.operations.items() if cost.long_texts * pages > _MAX_LONG_TEXTS]


def _by_name(ast: DocumentNode) -> Iterator[tuple[str, OperationDefinitionNode]]:
    for part in ast.definitions:
        if isinstance(part, OperationDefinitionNode):
            yield name_of(part), part
