"""The execution of one operation by graphql-core, with limits for errors and for the work in one piece."""

import asyncio
from collections.abc import Callable, Coroutine, Generator, Iterable
from copy import copy
from functools import partial
from inspect import iscoroutine
from typing import Any, Final, cast

from graphql import GraphQLError, OperationType, get_named_type, is_leaf_type
from graphql.pyutils import Path, gather_with_cancel
from graphql.type.definition import GraphQLResolveInfoHelpers
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from domain.errors import TooExpensive
from graphql_api.pace import Pace

MAX_FAILED_FIELDS: Final = 300
"""The maximum number of failed fields of a query: one invalid argument can fail a field in every row."""

_ROOT_FIELD_WORK: Final = 20
"""The work of a root field before its first `await`, in fields: it converts arguments and builds a statement."""

_LONG_LIST: Final = 10
"""Lists with this many objects are completed in parts."""


class TooManyErrors(TooExpensive):
    """The operation was stopped because too many fields failed."""

    def __init__(self) -> None:
        super().__init__(
            f"The operation was stopped because more than {MAX_FAILED_FIELDS} fields failed. "
            "Correct these errors first."
        )


class ExecutionContext(StrawberryGraphQLCoreExecutionContext):
    """Executes one operation. It never stops a mutation, because each of its fields may already have made a change.

    graphql-core completes a list in one piece. A page of 100 tasks would block the event loop for more than 50 ms on a
    slow machine. So this class counts the executed fields, and waits for the next iteration of the event loop after
    `WORK_AT_ONCE` of them: between the items of long lists, and before it starts or continues an awaitable field.
    """

    _failed_fields = 0

    def release(self) -> None:
        """Refer to this object no longer: reference counts free it, although its helpers are methods of it.

        It can still execute events, with the helpers of a copy, which shares its state.
        """
        other = copy(self)
        del other.async_helpers
        self.async_helpers = GraphQLResolveInfoHelpers(gather=other.gather_async_work, track=other.track_async_work)

    @property
    def _pace(self) -> Pace:
        return cast("Pace", self.context_value.pace)

    def handle_field_error(self, raw_error: Exception, return_type: Any, field_details_list: Any, path: Path) -> None:
        """Count a failed field.

        Raises:
            GraphQLError: the parent of a non-null field fails too, or the operation is stopped.
        """
        if self._failed_fields >= MAX_FAILED_FIELDS and self.operation.operation is not OperationType.MUTATION:
            raise GraphQLError("", original_error=TooManyErrors())
        super().handle_field_error(raw_error, return_type, field_details_list, path)
        self._failed_fields += 1

    def build_resolve_info(self, field_def: Any, field_nodes: Any, parent_type: Any, path: Path) -> Any:
        """Count an executed field: this is called once for each."""
        self._pace.done += 1
        return super().build_resolve_info(field_def, field_nodes, parent_type, path)

    async def complete_awaitable_value(
        self,
        return_type: Any,
        field_details_list: Any,
        info: Any,
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        """Complete the value of an awaitable field, with a wait before it starts and one before it continues."""
        return await super().complete_awaitable_value(
            return_type, field_details_list, info, path, self._resolve_in_turn(result, path), position_context
        )

    def complete_iterable_value(
        self,
        item_type: Any,
        field_details_list: Any,
        info: Any,
        path: Path,
        items: Iterable[Any],
        position_context: Any,
    ) -> Any:
        """Complete a list; a long one in parts."""
        is_short = isinstance(items, list) and len(items) < _LONG_LIST and not self._pace.is_exhausted
        if is_short or not isinstance(items, list) or is_leaf_type(get_named_type(item_type)):
            return super().complete_iterable_value(item_type, field_details_list, info, path, items, position_context)
        return _Unstarted(
            partial(self._complete_in_parts, item_type, field_details_list, info, path, items, position_context)
        )

    async def _complete_in_parts(
        self,
        item_type: Any,
        field_details_list: Any,
        info: Any,
        path: Path,
        items: list[Any],
        position_context: Any,
    ) -> list[Any]:
        completed: list[Any] = []
        awaitable: list[int] = []
        pace = self._pace
        try:
            with pace.completing_list():
                for index, item in enumerate(items):
                    if pace.is_exhausted:
                        await pace.wait()
                    item_path = path.add_key(index, None)
                    if self.complete_list_item_value(
                        item, completed, item_type, field_details_list, info, item_path, position_context
                    ):
                        awaitable.append(index)
        except Exception:
            self.settle_in_background([completed[index] for index in awaitable])
            raise
        except asyncio.CancelledError:
            close_unstarted([completed[index] for index in awaitable])
            raise
        values = await gather_with_cancel(*[completed[index] for index in awaitable])
        for index, value in zip(awaitable, values, strict=True):
            completed[index] = value
        return completed

    async def _resolve_in_turn(self, result: Any, path: Path) -> Any:
        pace = self._pace
        if path.prev is None:
            if pace.is_exhausted:
                await self._wait_before(result)
            pace.done += _ROOT_FIELD_WORK
        value = await result
        if pace.is_exhausted:
            await pace.wait()
        return value

    async def _wait_before(self, result: Any) -> None:
        try:
            await self._pace.wait()
        except asyncio.CancelledError:
            close_unstarted(result)
            raise


class _Unstarted:
    """An awaitable that creates its coroutine when it is awaited.

    If another field fails, graphql-core cancels what would await it. A coroutine that exists would then be reported as
    never awaited.
    """

    __slots__ = ("_start",)

    def __init__(self, start: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self._start = start

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._start().__await__()


def close_unstarted(value: Any) -> None:
    """Close coroutines that have not started, and those that they would await: nothing of them may run."""
    if iscoroutine(value):
        known = list(value.cr_frame.f_locals.values()) if value.cr_frame is not None else []
        value.close()
        close_unstarted(known)
    elif isinstance(value, list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            if isinstance(each, list | dict) or iscoroutine(each):
                close_unstarted(each)
