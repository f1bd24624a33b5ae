"""The general executor: runs any operation with graphql-core and Strawberry's resolvers."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, Final, Generic, Protocol, TypeVar, cast

import strawberry
from graphql import GraphQLError, OperationDefinitionNode, OperationType
from graphql.pyutils import Path
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from asgi.timeouts import TimeLimit, TimeoutQueue
from domain.errors import Failure, TooExpensive, Unavailable
from graphql_api.execution.delivery import Group, NoSource, SharedExecutions, SubscriptionResults, Teller
from graphql_api.execution.documents import Document, Documents, InvalidDocument
from graphql_api.execution.introspection_cache import IntrospectionCache
from graphql_api.execution.persisted_queries import PersistedQueries
from graphql_api.execution.request import OperationRequest, check_text
from graphql_api.execution.response import Response, failed, from_result, refused
from graphql_api.execution.validation import variable_errors
from graphql_api.resolvers.delivery import DeliversDirectly
from observability.request_records import record_operation

MAX_FAILED_FIELDS: Final = 300
"""Each costs time and space, and one wrong variable can fail a field of every row."""

TIMEOUT_SECONDS: Final = 20.0


class TooManyErrors(TooExpensive):
    """The operation was stopped."""

    def __init__(self) -> None:
        super().__init__(
            f"More than {MAX_FAILED_FIELDS} fields failed, and the operation was stopped: correct these errors first."
        )


class ExecutionContext(StrawberryGraphQLCoreExecutionContext):
    """Executes one operation. Mutations are never stopped: each of their fields is told for itself."""

    _failed = 0

    def handle_field_error(self, raw_error: Exception, return_type: Any, field_details_list: Any, path: Path) -> None:
        """Note that a field failed.

        Raises:
            GraphQLError: the field's parent fails with it, or the operation is stopped.
        """
        if self._failed >= MAX_FAILED_FIELDS and self.operation.operation is not OperationType.MUTATION:
            raise GraphQLError("", original_error=TooManyErrors())
        super().handle_field_error(raw_error, return_type, field_details_list, path)
        self._failed += 1


class Context(Protocol):
    """All that execution wants of a context; resolvers want more."""

    @property
    def request_id(self) -> str:
        """Names the request in answers and logs."""


ContextT = TypeVar("ContextT", bound=Context)
Context_contra = TypeVar("Context_contra", contravariant=True)


class Shortcut(Protocol[Context_contra]):
    """Another way to the same answer."""

    async def execute(
        self,
        document: Document,
        operation: OperationDefinitionNode,
        request: OperationRequest,
        context: Context_contra,
    ) -> Response | None:
        """The response; None if nothing was done, and it is for the general executor to give."""


@dataclass(slots=True)
class Operation:
    """A request whose document was found good, and the one operation of it that is to run.

    `name` is the operation's in its document, and `type` whether it is a query, a mutation or a subscription.
    """

    request: OperationRequest
    document: Document
    node: OperationDefinitionNode
    name: str | None
    type: OperationType


class Executor(Generic[ContextT]):
    """Runs operations; never raises for what a client or a resolver did.

    *timeout* in seconds bounds queries and mutations. *renew* makes the context of a subscription's next event from
    the operation's own: loaders that outlive an event would tell old news. With *shared* off, every subscription
    executes each of its events for itself. An event that cannot be told whole, because the database is away, is
    executed again when *recovered* returns; without it, it is told with its errors. A *shortcut* is tried
    first.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        documents: Documents,
        *,
        timeout: float = TIMEOUT_SECONDS,
        renew: Callable[[ContextT], ContextT] | None = None,
        shared: bool = True,
        shortcut: Shortcut[ContextT] | None = None,
        recovered: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._schema = schema._schema
        self._documents = documents
        self._alarms = TimeoutQueue(timeout)
        self._renew = renew
        self._recovered = recovered
        self._shortcut = shortcut
        self._persisted = PersistedQueries()
        self._introspections = IntrospectionCache()
        self._shared = SharedExecutions(self._schema) if shared else None

    def prepare(self, request: OperationRequest, *, request_id: str) -> Operation | Response:
        """The operation to run, or the answer that says why there is none. Fast when the document was seen before."""
        try:
            check_text(request)
            if request.extensions:
                request = self._persisted.whole(request)
            document = self._documents.get(request.query)
            if request.extensions:
                self._persisted.keep(request)
            node = document.operation(request.operation_name)
            self._documents.check_cost(document, node, request.variables)
        except InvalidDocument as invalid:
            return refused(*invalid.errors, request_id=request_id)
        except Exception as error:
            return refused(error, request_id=request_id)
        name = node.name.value if node.name else None
        operation = Operation(request, document, node, name, node.operation)
        record_operation(operation.name, operation.type, known=document.known)
        return operation

    async def execute(self, operation: Operation, context: ContextT) -> Response:
        """Run a query or a mutation to its end, or to its timeout."""
        try:
            # What a plan reads has time-outs of its own, and most of it is there before a timer would be set.
            if operation.type is OperationType.QUERY:
                return await self._query(operation, context)
            with TimeLimit(self._alarms):
                return await self._by_shortcut(operation, context) or await self._in_general(operation, context)
        except TimeoutError:
            return failed(_too_slow(operation.type, self._alarms.seconds), request_id=context.request_id)
        except Exception as error:
            return failed(error, request_id=context.request_id)

    async def _query(self, operation: Operation, context: ContextT) -> Response:
        key = self._introspections.key(operation.document, operation.name or "", operation.request.variables)
        if key is None:
            return await self._by_shortcut(operation, context) or await self._in_time(operation, context)
        response = self._introspections.get(key)
        if response is None:
            response = await self._in_time(operation, context)
            self._introspections.put(key, response)
        return response

    async def _in_time(self, operation: Operation, context: ContextT) -> Response:
        with TimeLimit(self._alarms):
            return await self._in_general(operation, context)

    async def _by_shortcut(self, operation: Operation, context: ContextT) -> Response | None:
        if self._shortcut is None:
            return None
        return await self._shortcut.execute(operation.document, operation.node, operation.request, context)

    async def _in_general(self, operation: Operation, context: ContextT) -> Response:
        built = self._built(operation, context)
        if isinstance(built, list):
            return refused(*built, request_id=context.request_id)
        result = built.execute_operation()
        if isawaitable(result):
            result = await result
        return from_result(result, request_id=context.request_id)

    async def stream(
        self, operation: Operation, context: ContextT, at_once: Callable[[Response], bool] | None = None
    ) -> AsyncGenerator[Response, None]:
        """The responses of any operation: one of a query or a mutation, as many as come of a subscription.

        A response that was not executed is the last one. Close it (`aclosing`) to stop a subscription. A response that
        nobody has to wait for goes to *at_once* instead, if that takes it, while the next one is waited for.
        """
        if operation.type is not OperationType.SUBSCRIPTION:
            yield await self.execute(operation, context)
            return
        try:
            built = self._built(operation, context)
            if isinstance(built, list):
                yield refused(*built, request_id=context.request_id)
                return
            subscribed = SubscriptionResults(built, self._group(operation), self._renew, self._recovered)
            async with aclosing(await subscribed.source()) as events:
                if at_once is not None and isinstance(events, DeliversDirectly):
                    events.at_once(Teller(subscribed, at_once))
                async for event in events:
                    yield await subscribed.answer(event)
        except StopAsyncIteration:
            return  # closed while an answer was given anew
        except NoSource as none:
            yield refused(*none.errors, request_id=context.request_id)
        except Exception as error:
            yield refused(error, request_id=context.request_id)

    def _group(self, operation: Operation) -> Group | None:
        return self._shared.group(operation.request, operation.document) if self._shared is not None else None

    def _built(self, operation: Operation, context: ContextT) -> Any:
        """What executes the operation, or a list of what is wrong with its variables."""
        suggestions, variables = self._documents.suggestions, operation.request.variables
        built = ExecutionContext.build(
            self._schema,
            operation.document.ast,
            context_value=context,
            raw_variable_values=variables,
            operation_name=operation.name,
            is_awaitable=cast("Any", optimized_is_awaitable),
            hide_suggestions=not suggestions,
            operation_extensions=operation.request.extensions,
        )
        if isinstance(built, list):
            return variable_errors(self._schema, operation.node, variables, built, suggestions=suggestions)
        return built


def _too_slow(kind: OperationType, seconds: float) -> Failure:
    if kind is OperationType.MUTATION:
        return Unavailable(f"No answer within {seconds:g} s; the change may or may not have been made: look first.")
    return Unavailable(f"No answer within {seconds:g} s; try again later, or ask for less.")
