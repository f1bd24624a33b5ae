"""The events of one subscription, executed one by one, or answered as they were to somebody else."""

from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from inspect import isawaitable
from typing import Any, Final, Generic, TypeVar

from graphql import ExecutionResult, GraphQLError, create_source_event_stream, execute_subscription_event
from graphql import Executor as GraphQLExecutor

from domain.errors import Unavailable
from graphql_api.errors import cause_of
from graphql_api.execution.response import Response, from_result
from graphql_api.execution.shared import Group, root_value
from graphql_api.realtime.run import Run
from graphql_api.resolvers.telling import Telling, answered

ContextT = TypeVar("ContextT")


class NoSource(Exception):
    """The subscription could not begin; `errors` say why."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__("no source")
        self.errors = errors


class Subscribed(Generic[ContextT]):
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
        if not isinstance(event, Telling):
            return await self._answer(event)
        if self._group is not None:
            kept = self._group.kept(event)
            if kept is not None and event.is_current():
                return kept
        return await answered(event, self._answer)

    def begun(self, telling: Telling) -> Response | Run[Response] | None:
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
        if self._group is not None and isinstance(event, Telling):
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

    def __init__(self, subscribed: Subscribed[ContextT], send: Callable[[Response], bool]) -> None:
        self.share = subscribed.share
        self.begun = subscribed.begun
        self.send = send


def _is_torn(answer: ExecutionResult) -> bool:
    return any(isinstance(cause_of(error), Unavailable) for error in answer.errors or ())
