"""Executes subscription events: one execution for all subscribers that get the same result."""

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
from graphql_api.execution.documents import Document
from graphql_api.execution.request import OperationRequest
from graphql_api.execution.response import Response, from_result
from graphql_api.resolvers.delivery import Delivery, answered
from graphql_api.schema.viewer import Viewer
from streaming.asyncio_helpers import SingleFlight

MAX_KEPT: Final = 1_000
MAX_BYTES: Final = 8 * 1024 * 1024
_WEIGHT: Final = 4
"""Bytes in memory for each byte of JSON: the answer is kept as values, too."""

Execute = Callable[[], Awaitable[ExecutionResult]]

ContextT = TypeVar("ContextT")


class SharedExecutions:
    """What was executed lately, and what is being executed, for all subscribers of this process."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._running: dict[Hashable, SingleFlight[Response]] = {}
        self._kept: BoundedCache[Response] = BoundedCache(max_count=MAX_KEPT, max_bytes=MAX_BYTES)
        self.executed = self.reused = 0
        """How many answers were executed, and how many were handed on."""

    def group(self, request: OperationRequest, document: Document) -> "Group":
        """Those who listen with the same operation."""
        selection = selection_of(self._schema, document.ast, document.operation(request.operation_name))
        used = {name: request.variables[name] for name in selection.variables if name in request.variables}
        personal = selection.viewer is Viewer.PERSON
        return Group(
            self, _digest(document.text, request.operation_name, [used, request.extensions]), personal=personal
        )

    def kept(self, key: Hashable) -> Response | None:
        """The answer for this key, if it was given lately."""
        found = self._kept.get(key)
        if found is not None:
            self.reused += 1
        return found

    def begun(self, key: Hashable, execute: Execute, request_id: str) -> "Response | SingleFlight[Response]":
        """The answer for this key if it is kept, or what is under way to it, if only since now."""
        found = self.kept(key)
        if found is not None:
            return found
        run = self._running.get(key)
        if run is None or run.stopped:
            run = self._running[key] = SingleFlight(self._execute(key, execute, request_id), partial(self._ended, key))
        else:
            self.reused += 1
        return run

    async def _execute(self, key: Hashable, execute: Execute, request_id: str) -> Response:
        self.executed += 1
        response = _written(from_result(await execute(), request_id=request_id), request_id)
        self._kept.put(key, response, size=_WEIGHT * len(response.written or b""))
        return response

    def _ended(self, key: Hashable, run: SingleFlight[Response]) -> None:
        # One that was stopped may have been followed by another before it got to its end.
        if self._running.get(key) is run:
            del self._running[key]


class Group:
    """All who listen with one operation."""

    def __init__(self, shared: SharedExecutions, operation: Hashable, *, personal: bool) -> None:
        self._shared = shared
        self._operation = operation
        self.share = operation if not personal else None
        """Groups with an equal one answer alike to who looks from the same place."""

    def kept(self, telling: Delivery) -> Response | None:
        """What the operation answered to somebody else who was told the same."""
        return self._shared.kept(self._key(telling)) if telling.viewpoint is not None else None

    def _key(self, telling: Delivery) -> Hashable:
        return self._operation, telling.viewpoint, telling.viewer if self.share is None else None

    def begun(self, telling: Delivery, execute: Execute, request_id: str) -> Response | SingleFlight[Response]:
        """What the operation answers to a telling that is like others, if it is there, or what is under way to it."""
        return self._shared.begun(self._key(telling), execute, request_id)

    async def answer(self, telling: Delivery, execute: Execute, request_id: str) -> Response:
        """What the operation answers to a telling; *execute* is called if nobody has seen it so yet."""
        if telling.viewpoint is None:
            return from_result(await execute(), request_id=request_id)
        found = self.begun(telling, execute, request_id)
        return found if isinstance(found, Response) else await found.result()


def _digest(text: str, operation_name: str | None, sent: list[Any]) -> bytes:
    """Stands for an operation in keys, which are kept: whatever clients send with it, it has 32 bytes."""
    digest = sha256(orjson.dumps([operation_name, sent], option=orjson.OPT_SORT_KEYS))
    digest.update(text.encode("utf-8", "surrogatepass"))
    return digest.digest()


def _written(response: Response, request_id: str) -> Response:
    return Response(response.body, response.to_json(request_id=request_id))


def root_value(event: Any) -> Any:
    """What the root field of an event's execution is given."""
    return event.make() if isinstance(event, Delivery) else event


class NoSource(Exception):
    """The subscription could not begin; `errors` say why."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__("no source")
        self.errors = errors


class SubscriptionResults(Generic[ContextT]):
    """One subscription that runs. Those of a *group* share their answers.

    See `Executor` for *renew* and *recovered*.
    """

    def __init__(
        self,
        built: GraphQLExecutor[Any],
        group: Group | None,
        renew: Callable[[ContextT], ContextT] | None,
        recovered: Callable[[], Awaitable[None]] | None,
    ) -> None:
        self._built = built
        self._group = group
        self._renew = renew
        self._recovered = recovered
        self._request_id: Final[str] = built.context_value.request_id

    async def source(self) -> Any:
        """The events.

        Raises:
            NoSource: there are none.
        """
        source = create_source_event_stream(self._built)
        if isawaitable(source):
            source = await source
        if isinstance(source, ExecutionResult):
            raise NoSource(source.errors or [])
        return source

    async def answer(self, event: Any) -> Response:
        """What is answered to an event of the source."""
        if not isinstance(event, Delivery):
            return await self._answer(event)
        if self._group is not None:
            kept = self._group.kept(event)
            if kept is not None and event.is_current():
                return kept
        return await answered(event, self._answer)

    def begun(self, telling: Delivery) -> Response | SingleFlight[Response] | None:
        """What is answered to a telling, if it is there, or what is under way to it; None if nobody shares it."""
        if self._group is None or telling.viewpoint is None:
            return None
        return self._group.begun(telling, partial(self._execute, telling), self._request_id)

    @property
    def share(self) -> Hashable | None:
        """Subscriptions with an equal one answer alike, unless somebody is more to a task than to look at it."""
        return self._group.share if self._group is not None else None

    async def _answer(self, event: Any) -> Response:
        execute = partial(self._execute, event)
        if self._group is not None and isinstance(event, Delivery):
            return await self._group.answer(event, execute, self._request_id)
        return from_result(await execute(), request_id=self._request_id)

    async def _execute(self, event: Any) -> ExecutionResult:
        answer = await self._execute_once(event)
        while self._recovered is not None and _is_torn(answer):
            await self._recovered()
            answer = await self._execute_once(event)
        return answer

    async def _execute_once(self, event: Any) -> ExecutionResult:
        executor = self._built.build_per_event_executor(root_value(event))
        if self._renew is not None:
            executor.context_value = self._renew(executor.context_value)
        result: Any = execute_subscription_event(executor)
        answer: ExecutionResult = await result if isawaitable(result) else result
        return answer


class Teller(Generic[ContextT]):
    """Tells what a subscription answers, by a way to *send* it without waiting."""

    def __init__(self, subscribed: SubscriptionResults[ContextT], send: Callable[[Response], bool]) -> None:
        self.share = subscribed.share
        self.begun = subscribed.begun
        self.send = send


def _is_torn(answer: ExecutionResult) -> bool:
    return any(isinstance(cause_of(error), Unavailable) for error in answer.errors or ())
