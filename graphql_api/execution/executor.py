"""The general executor: runs any operation with graphql-core and Strawberry's resolvers."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, Final, Generic, Protocol, TypeVar, cast

import strawberry
from graphql import OperationDefinitionNode, OperationType
from strawberry.execution import optimized_is_awaitable

from asgi.timeouts import TimeLimit, TimeoutQueue
from domain.actor import Actor
from domain.errors import Failure, Unavailable
from graphql_api.execution.delivery import (
    DirectSender,
    Group,
    SharedExecutions,
    SubscriptionFailed,
    SubscriptionResults,
)
from graphql_api.execution.document import Document
from graphql_api.execution.documents import Documents, InvalidDocument
from graphql_api.execution.execution_context import ExecutionContext
from graphql_api.execution.introspection_cache import IntrospectionCache
from graphql_api.execution.large_response import encode_in_parts
from graphql_api.execution.persisted_queries import PersistedQueries
from graphql_api.execution.request import OperationRequest, check_text
from graphql_api.execution.response import Response, execution_error, from_result, request_error
from graphql_api.execution.trusted_documents import TrustedDocuments
from graphql_api.execution.validation import variable_errors
from graphql_api.pace import Pace
from graphql_api.resolvers.delivery import DeliversDirectly
from observability.request_records import record_operation

TIMEOUT_SECONDS: Final = 20.0
_NO_HEADERS: Final[Mapping[bytes, bytes]] = {}


class OperationContext(Protocol):
    """The part of the context that this module uses. Resolvers use more."""

    @property
    def request_id(self) -> str:
        """The id of the request in responses and logs."""

    @property
    def pace(self) -> Pace:
        """How much of the operation is executed in one iteration of the event loop."""


ContextT = TypeVar("ContextT", bound=OperationContext)
Context_contra = TypeVar("Context_contra", contravariant=True)


class FastPath(Protocol[Context_contra]):
    """A faster executor for some operations, which returns the same responses."""

    async def execute(
        self,
        document: Document,
        operation: OperationDefinitionNode,
        request: OperationRequest,
        context: Context_contra,
    ) -> Response | None:
        """Run the operation. None means that nothing was done, and that the general executor must run it."""


AddCost = Callable[["Operation", ContextT, Response], None]
"""Adds to the response of a mutation what it has cost."""


class _NoFastPath:
    """Leaves all operations to the general executor."""

    async def execute(self, *_: object) -> None:
        return


@dataclass(slots=True)
class Operation:
    """A request with a valid document, and the operation in it that will run.

    `name` is the name of the operation. `type` says whether it is a query, a mutation or a subscription.
    """

    request: OperationRequest
    document: Document
    node: OperationDefinitionNode
    name: str | None
    type: OperationType


class Executor(Generic[ContextT]):
    """Runs operations. Errors of clients and of resolvers are part of the response; they are never raised.

    *timeout* limits queries and mutations, in seconds. *renew_context* makes the context for the next event of a
    subscription, because loaders cache what they read. Without *shared*, every subscription executes each event
    separately. If the database is unavailable during an event, the event is executed again after *wait_for_recovery*
    returns; without *wait_for_recovery*, its response contains the errors. *fast_path* is tried first. *trusted*
    decides which documents are executed; without it, all are. *add_cost* adds `extensions` to responses of mutations.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        documents: Documents,
        *,
        timeout: float = TIMEOUT_SECONDS,
        renew_context: Callable[[ContextT], ContextT] | None = None,
        shared: bool = True,
        fast_path: FastPath[ContextT] | None = None,
        wait_for_recovery: Callable[[], Awaitable[None]] | None = None,
        trusted: TrustedDocuments | None = None,
        add_cost: AddCost[ContextT] | None = None,
    ) -> None:
        self._schema = schema._schema
        self._documents = documents
        self._timeouts = TimeoutQueue(timeout)
        self._renew_context = renew_context
        self._wait_for_recovery = wait_for_recovery
        self._fast_path = fast_path or _NoFastPath()
        self._persisted = PersistedQueries()
        self._trusted = trusted
        self._add_cost = add_cost
        self._introspections = IntrospectionCache()
        self._shared = SharedExecutions(self._schema) if shared else None

    def knows(self, request: OperationRequest) -> bool:
        """Whether the document of a request without extensions is in the cache. This does not count as a use of it."""
        if request.document_id is None:
            return self._documents.knows(request.query)
        return self._trusted is not None and self._documents.knows(self._trusted.text_of(request.document_id))

    async def prepare(
        self,
        request: OperationRequest,
        *,
        request_id: str,
        headers: Mapping[bytes, bytes] = _NO_HEADERS,
        actor: Actor | None = None,
    ) -> Operation | Response:
        """The operation to run, or a response with the errors. It is fast if the document is in the cache.

        *headers* are those of the HTTP request; they may name the client. *actor* is who sends it, which can decide
        whether the document is executed.
        """
        try:
            check_text(request)
            if self._trusted is not None:
                request = self._trusted.admit(request, headers, self._persisted, actor)
            elif request.extensions or not request.query:
                request = self._persisted.with_text(request)
            document = await self._documents.get_async(request.query)
            if request.extensions:
                self._persisted.store(request)
            node = document.operation(request.operation_name)
            self._documents.check_cost(document, node, request.variables)
        except InvalidDocument as invalid:
            return request_error(*invalid.errors, request_id=request_id)
        except Exception as error:
            return request_error(error, request_id=request_id)
        name = node.name.value if node.name else None
        operation = Operation(request, document, node, name, node.operation)
        record_operation(operation.name, operation.type, known=document.known)
        return operation

    async def execute(self, operation: Operation, context: ContextT) -> Response:
        """Run a query or a mutation until it ends or its timeout expires."""
        response = await self._execute(operation, context)
        if self._add_cost is not None and operation.type is OperationType.MUTATION:
            self._add_cost(operation, context, response)
        return response

    async def _execute(self, operation: Operation, context: ContextT) -> Response:
        try:
            # The statements of a plan have their own timeouts, and most end sooner than it takes to set up a timer.
            if operation.type is OperationType.QUERY:
                return await self._query(operation, context)
            with TimeLimit(self._timeouts):
                return await self._run_fast_path(operation, context) or await self._run_general(operation, context)
        except TimeoutError:
            return execution_error(
                _timeout_error(operation.type, self._timeouts.seconds), request_id=context.request_id
            )
        except Exception as error:
            return execution_error(error, request_id=context.request_id)

    async def _query(self, operation: Operation, context: ContextT) -> Response:
        key = self._introspections.key(operation.document, operation.name or "", operation.request.variables)
        if key is None:
            result = await self._run_fast_path(operation, context) or await self._run_with_timeout(operation, context)
            if operation.document.large and (operation.name or "") in operation.document.large:
                await encode_in_parts(result)
            return result
        response = self._introspections.get(key)
        if response is None:
            response = await self._run_with_timeout(operation, context)
            self._introspections.put(key, response)
        return response

    async def _run_with_timeout(self, operation: Operation, context: ContextT) -> Response:
        with TimeLimit(self._timeouts):
            return await self._run_general(operation, context)

    def _run_fast_path(self, operation: Operation, context: ContextT) -> Awaitable[Response | None]:
        return self._fast_path.execute(operation.document, operation.node, operation.request, context)

    async def _run_general(self, operation: Operation, context: ContextT) -> Response:
        built = self._build(operation, context)
        if isinstance(built, list):
            return request_error(*built, request_id=context.request_id)
        result = built.execute_operation()
        if isawaitable(result):
            result = await result
        return from_result(result, request_id=context.request_id)

    async def stream(
        self, operation: Operation, context: ContextT, send_directly: Callable[[Response], bool] | None = None
    ) -> AsyncGenerator[Response, None]:
        """The responses of an operation: one for a query or a mutation, any number for a subscription.

        A response that was not executed is the last one. Close the generator (`aclosing`) to stop a subscription. While
        the caller waits for the next response, *send_directly* is called with each response that is ready. If it
        returns True, the generator does not yield this response.
        """
        if operation.type is not OperationType.SUBSCRIPTION:
            yield await self.execute(operation, context)
            return
        try:
            built = self._build(operation, context)
            if isinstance(built, list):
                yield request_error(*built, request_id=context.request_id)
                return
            results = SubscriptionResults(built, self._group(operation), self._renew_context, self._wait_for_recovery)
            async with _released(built), aclosing(await results.source()) as events:
                if send_directly is not None and isinstance(events, DeliversDirectly):
                    events.deliver_directly(DirectSender(results, send_directly))
                async for event in events:
                    yield await results.response(event)
        except StopAsyncIteration:
            return  # The subscription was closed while a response was executed again.
        except SubscriptionFailed as failed:
            yield request_error(*failed.errors, request_id=context.request_id)
        except Exception as error:
            yield request_error(error, request_id=context.request_id)

    def _group(self, operation: Operation) -> Group | None:
        return self._shared.group(operation.request, operation.document) if self._shared is not None else None

    def _build(self, operation: Operation, context: ContextT) -> Any:
        """The execution context of graphql-core for the operation, or a list of the errors in its variables."""
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


@asynccontextmanager
async def _released(built: ExecutionContext) -> AsyncGenerator[None, None]:
    """Release it in the end."""
    try:
        yield
    finally:
        built.release()


def _timeout_error(kind: OperationType, seconds: float) -> Failure:
    if kind is OperationType.MUTATION:
        return Unavailable(
            f"No result within {seconds:g} s; the change may or may not have been made: check before you try again."
        )
    return Unavailable(f"No result within {seconds:g} s; try again later, or select less data.")
