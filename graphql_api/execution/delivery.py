"""Executes subscription events: one execution for all subscribers that get the same response."""

from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from hashlib import sha256
from inspect import isawaitable
from typing import Any, Final, Generic, TypeVar

import orjson
from graphql import ExecutionResult, GraphQLError, GraphQLSchema, create_source_event_stream, execute_subscription_event
from graphql import Executor as GraphQLExecutor

from domain.errors import Unavailable
from graphql_api.compiler.selections import selection_of
from graphql_api.errors import cause_of
from graphql_api.execution.bounded_cache import BoundedCache
from graphql_api.execution.document import Document
from graphql_api.execution.request import OperationRequest
from graphql_api.execution.response import Response, from_result
from graphql_api.resolvers.delivery import Delivery, current_answer
from graphql_api.schema.viewer import Viewer
from streaming.asyncio_helpers import SingleFlight

MAX_CACHED: Final = 1_000
MAX_BYTES: Final = 8 * 1024 * 1024
_BYTES_PER_JSON_BYTE: Final = 4
"""Bytes in memory for each byte of JSON: the cache contains the response also as Python values."""

Execute = Callable[[], ExecutionResult | Awaitable[ExecutionResult]]
"""Executes an operation. The result is awaitable only if a resolver has to wait."""

ContextT = TypeVar("ContextT")


class SharedExecutions:
    """Recent and running executions of events, shared by all subscribers of this process."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._running: dict[Hashable, SingleFlight[Response]] = {}
        self._cache: BoundedCache[Response] = BoundedCache(max_count=MAX_CACHED, max_bytes=MAX_BYTES)
        self.executed = self.reused = 0
        """The number of executions, and of responses that were reused."""

    def group(self, request: OperationRequest, document: Document) -> "Group":
        """The group of all subscriptions with this operation."""
        selection = selection_of(self._schema, document.ast, document.operation(request.operation_name))
        used = {name: request.variables[name] for name in selection.variables if name in request.variables}
        personal = selection.viewer is Viewer.USER
        return Group(
            self, _digest(document.text, request.operation_name, [used, request.extensions]), personal=personal
        )

    def cached(self, key: Hashable) -> Response | None:
        """The response for this key, if it is in the cache."""
        found = self._cache.get(key)
        if found is not None:
            self.reused += 1
        return found

    def get_or_execute(self, key: Hashable, execute: Execute, request_id: str) -> "Response | SingleFlight[Response]":
        """The response for this key, or its execution if a resolver has to wait.

        It is executed now, without a task, unless it is cached or already running.
        """
        found = self.cached(key)
        if found is not None:
            return found
        run = self._running.get(key)
        if run is not None and not run.stopped:
            self.reused += 1
            return run
        self.executed += 1
        result = execute()
        if isinstance(result, ExecutionResult):
            return self._store(key, result, request_id)
        run = self._running[key] = SingleFlight(self._finish(key, result, request_id), partial(self._ended, key))
        return run

    async def _finish(self, key: Hashable, result: Awaitable[ExecutionResult], request_id: str) -> Response:
        return self._store(key, await result, request_id)

    def _store(self, key: Hashable, result: ExecutionResult, request_id: str) -> Response:
        response = _encoded(from_result(result, request_id=request_id), request_id)
        self._cache.put(key, response, size=_BYTES_PER_JSON_BYTE * len(response.encoded or b""))
        return response

    def _ended(self, key: Hashable, run: SingleFlight[Response]) -> None:
        # If this execution was stopped, a new one for the same key may already be running.
        if self._running.get(key) is run:
            del self._running[key]


class Group:
    """All subscriptions with one operation."""

    def __init__(self, shared: SharedExecutions, operation: Hashable, *, personal: bool) -> None:
        self._shared = shared
        self._operation = operation
        self.sharing_key = operation if not personal else None
        """Groups with equal keys give the same response for the same viewpoint. None: never."""

    def cached(self, delivery: Delivery) -> Response | None:
        """The response to an equal delivery to another subscriber, if it is in the cache."""
        return self._shared.cached(self._key(delivery)) if delivery.viewpoint is not None else None

    def _key(self, delivery: Delivery) -> Hashable:
        return self._operation, delivery.viewpoint, delivery.viewer if self.sharing_key is None else None

    def get_or_execute(
        self, delivery: Delivery, execute: Execute, request_id: str
    ) -> Response | SingleFlight[Response]:
        """The response to a delivery from the cache, or its execution. The delivery must have a viewpoint."""
        return self._shared.get_or_execute(self._key(delivery), execute, request_id)

    async def response(self, delivery: Delivery, execute: Execute, request_id: str) -> Response:
        """The response to a delivery. *execute* is called if no equal delivery was executed yet."""
        if delivery.viewpoint is None:
            return from_result(await completed(execute()), request_id=request_id)
        found = self.get_or_execute(delivery, execute, request_id)
        return found if isinstance(found, Response) else await found.result()


def _digest(text: str, operation_name: str | None, sent: list[Any]) -> bytes:
    """A short key for an operation: 32 bytes, however long its text, variables and extensions are."""
    digest = sha256(orjson.dumps([operation_name, sent], option=orjson.OPT_SORT_KEYS))
    digest.update(text.encode("utf-8", "surrogatepass"))
    return digest.digest()


def _encoded(response: Response, request_id: str) -> Response:
    return Response(response.body, response.to_json(request_id=request_id))


def root_value(event: Any) -> Any:
    """The root value for the execution of an event."""
    return event.make() if isinstance(event, Delivery) else event


class SubscriptionFailed(Exception):
    """The subscription could not start. `errors` contains the reasons."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__("the subscription could not start")
        self.errors = errors


class SubscriptionResults(Generic[ContextT]):
    """Makes the responses of one subscription. The subscriptions of a *group* share responses.

    See `Executor` for *renew_context* and *wait_for_recovery*.
    """

    def __init__(
        self,
        built: GraphQLExecutor[Any],
        group: Group | None,
        renew_context: Callable[[ContextT], ContextT] | None,
        wait_for_recovery: Callable[[], Awaitable[None]] | None,
    ) -> None:
        self._built = built
        self._group = group
        self._renew_context = renew_context
        self._wait_for_recovery = wait_for_recovery
        self._request_id: Final[str] = built.context_value.request_id

    async def source(self) -> Any:
        """Start the source of events.

        Raises:
            SubscriptionFailed: the resolver of the subscription raised an error.
        """
        source = create_source_event_stream(self._built)
        if isawaitable(source):
            source = await source
        if isinstance(source, ExecutionResult):
            raise SubscriptionFailed(source.errors or [])
        return source

    async def response(self, event: Any) -> Response:
        """The response to an event of the source."""
        if not isinstance(event, Delivery):
            return await self._response(event)
        if self._group is not None:
            cached = self._group.cached(event)
            if cached is not None and event.is_current():
                return cached
        return await current_answer(event, self._response)

    def get_or_execute(self, delivery: Delivery) -> Response | SingleFlight[Response] | None:
        """The response to a delivery from the cache, or its execution; None if the response cannot be shared."""
        if self._group is None or delivery.viewpoint is None:
            return None
        return self._group.get_or_execute(delivery, partial(self._execute, delivery), self._request_id)

    @property
    def sharing_key(self) -> Hashable | None:
        """Subscriptions with equal keys give the same response to users who neither own a task nor are its assignee."""
        return self._group.sharing_key if self._group is not None else None

    async def _response(self, event: Any) -> Response:
        execute = partial(self._execute, event)
        if self._group is not None and isinstance(event, Delivery):
            return await self._group.response(event, execute, self._request_id)
        return from_result(await completed(execute()), request_id=self._request_id)

    def _execute(self, event: Any) -> ExecutionResult | Awaitable[ExecutionResult]:
        result = self._execute_once(event)
        if isinstance(result, ExecutionResult) and not self._is_repeated(result):
            return result
        return self._complete(event, result)

    async def _complete(self, event: Any, result: ExecutionResult | Awaitable[ExecutionResult]) -> ExecutionResult:
        found = await completed(result)
        while self._wait_for_recovery is not None and self._is_repeated(found):
            await self._wait_for_recovery()
            found = await completed(self._execute_once(event))
        return found

    def _execute_once(self, event: Any) -> ExecutionResult | Awaitable[ExecutionResult]:
        executor = self._built.build_per_event_executor(root_value(event))
        if self._renew_context is not None:
            executor.context_value = self._renew_context(executor.context_value)
        return execute_subscription_event(executor)

    def _is_repeated(self, result: ExecutionResult) -> bool:
        return self._wait_for_recovery is not None and _is_incomplete(result)


class DirectSender(Generic[ContextT]):
    """Sends the responses of a subscription without waiting; implements `resolvers.delivery.Sender`."""

    def __init__(self, results: SubscriptionResults[ContextT], send: Callable[[Response], bool]) -> None:
        self.sharing_key = results.sharing_key
        self.get_or_execute = results.get_or_execute
        self.send = send


async def completed(result: ExecutionResult | Awaitable[ExecutionResult]) -> ExecutionResult:
    """The result, after waiting for it if that is necessary."""
    return result if isinstance(result, ExecutionResult) else await result


def _is_incomplete(result: ExecutionResult) -> bool:
    return any(isinstance(cause_of(error), Unavailable) for error in result.errors or ())
