"""The general executor: any operation of the schema, by graphql-core and Strawberry's resolvers."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, Final, Generic, Protocol, TypeVar

import strawberry
from graphql import (
    ExecutionResult,
    OperationDefinitionNode,
    OperationType,
    create_source_event_stream,
    execute,
    execute_subscription_event,
    map_source_to_response_event,
)
from graphql import Executor as GraphQLExecutor
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from domain.errors import Failure, Unavailable
from graphql_api.execution.documents import Document, Documents, InvalidDocument
from graphql_api.execution.request import OperationRequest, check_text
from graphql_api.execution.response import Response, failed, from_result, refused

TIMEOUT_SECONDS: Final = 20.0


class Context(Protocol):
    """All that execution wants of a context; resolvers want more."""

    @property
    def request_id(self) -> str:
        """Names the request in answers and logs."""


ContextT = TypeVar("ContextT", bound=Context)


@dataclass(frozen=True, slots=True)
class Operation:
    """A request whose document was found good, and the one operation of it that is to run."""

    request: OperationRequest
    document: Document
    node: OperationDefinitionNode

    @property
    def name(self) -> str | None:
        """The operation's name in its document."""
        return self.node.name.value if self.node.name else None

    @property
    def type(self) -> OperationType:
        """Query, mutation or subscription."""
        return self.node.operation


class Executor(Generic[ContextT]):
    """Runs operations; never raises for what a client or a resolver did.

    *timeout* in seconds bounds queries and mutations. *renew* makes the context of a subscription's next event from
    the operation's own: loaders that outlive an event would tell old news.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        documents: Documents,
        *,
        timeout: float = TIMEOUT_SECONDS,
        renew: Callable[[ContextT], ContextT] | None = None,
    ) -> None:
        self._schema = schema._schema
        self._documents = documents
        self._timeout = timeout
        self._renew = renew

    def prepare(self, request: OperationRequest, *, request_id: str) -> Operation | Response:
        """The operation to run, or the answer that says why there is none. Fast when the document was seen before."""
        try:
            check_text(request)
            document = self._documents.get(request.query)
            node = document.operation(request.operation_name)
            self._documents.check_cost(document, node, request.variables)
        except InvalidDocument as invalid:
            return refused(*invalid.errors, request_id=request_id)
        except Exception as error:
            return refused(error, request_id=request_id)
        return Operation(request, document, node)

    async def execute(self, operation: Operation, context: ContextT) -> Response:
        """Run a query or a mutation to its end, or to its timeout."""
        try:
            result = execute(
                **self._arguments(operation, context),
                variable_values=operation.request.variables,
                executor_class=StrawberryGraphQLCoreExecutionContext,
            )
            if isawaitable(result):
                async with asyncio.timeout(self._timeout):
                    result = await result
        except TimeoutError:
            return failed(_too_slow(operation.type, self._timeout), request_id=context.request_id)
        except Exception as error:
            return failed(error, request_id=context.request_id)
        return from_result(result, request_id=context.request_id)

    async def stream(self, operation: Operation, context: ContextT) -> AsyncGenerator[Response, None]:
        """The responses of any operation: one of a query or a mutation, as many as come of a subscription.

        A response that was not executed is the last one. Close it (`aclosing`) to stop a subscription.
        """
        if operation.type is not OperationType.SUBSCRIPTION:
            yield await self.execute(operation, context)
            return
        try:
            async with aclosing(await self._events(operation, context)) as events:
                async for result in events:
                    yield from_result(result, request_id=context.request_id)
        except Exception as error:
            yield refused(error, request_id=context.request_id)

    async def _events(self, operation: Operation, context: ContextT) -> Any:
        built = StrawberryGraphQLCoreExecutionContext.build(
            **self._arguments(operation, context), raw_variable_values=operation.request.variables
        )
        if isinstance(built, list):
            return _only(ExecutionResult(None, errors=built))
        source = create_source_event_stream(built)
        if isawaitable(source):
            source = await source
        if isinstance(source, ExecutionResult):
            return _only(source)
        return map_source_to_response_event(built, source, self._one_event)

    def _one_event(self, executor: GraphQLExecutor[Any]) -> Any:
        if self._renew is not None:
            executor.context_value = self._renew(executor.context_value)
        return execute_subscription_event(executor)

    def _arguments(self, operation: Operation, context: ContextT) -> dict[str, Any]:
        return {
            "schema": self._schema,
            "document": operation.document.ast,
            "context_value": context,
            "operation_name": operation.name,
            "is_awaitable": optimized_is_awaitable,
            "hide_suggestions": not self._documents.suggestions,
            "operation_extensions": operation.request.extensions,
        }


async def _only(result: ExecutionResult) -> AsyncIterator[ExecutionResult]:
    yield result


def _too_slow(kind: OperationType, seconds: float) -> Failure:
    if kind is OperationType.MUTATION:
        return Unavailable(f"No answer within {seconds:g} s; the change may or may not have been made: look first.")
    return Unavailable(f"No answer within {seconds:g} s; try again later, or ask for less.")
