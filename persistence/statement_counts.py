"""Counts the statements that are sent to the database, in total and per request."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any, Final, TypeVar

from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine

ResultT = TypeVar("ResultT")
Begin = Callable[[str], Any]
End = Callable[[Any, BaseException | None], None]


class StatementCount:
    """The number of statements of one request; subclasses record more about the request."""

    statements = 0


current: Final[ContextVar[StatementCount | None]] = ContextVar("statements", default=None)
"""The counter of the current asyncio task and of the tasks that it starts."""


class Statements:
    """All statements of the engines, and those that run without SQLAlchemy."""

    def __init__(self, *engines: AsyncEngine) -> None:
        self.count = 0
        self._watchers: list[tuple[Begin, End]] = []
        self._engines = [engine.sync_engine for engine in engines]
        for engine in self._engines:
            event.listen(engine, "before_cursor_execute", self._note)

    async def run(self, text: str, run: Callable[..., Awaitable[ResultT]], *arguments: Any) -> ResultT:
        """Call *run* with these arguments, and count it as a statement with this text."""
        self._note()
        if not self._watchers:
            return await run(*arguments)
        started = [(end, begin(text)) for begin, end in self._watchers]
        failure: BaseException | None = None
        try:
            return await run(*arguments)
        except BaseException as error:
            failure = error
            raise
        finally:
            for end, watched in started:
                end(watched, failure)

    def watch(self, begin: Begin, end: End) -> None:
        """Call *begin* with the text of each statement, and *end* with its result when the statement has ended."""
        self._watchers.append((begin, end))

        def before(connection: Any, cursor: Any, text: str, parameters: Any, context: Any, many: bool) -> None:
            context.watched = begin(text)

        def after(connection: Any, cursor: Any, text: str, parameters: Any, context: Any, many: bool) -> None:
            end(context.watched, None)

        def failed(failure: ExceptionContext) -> None:
            watched = getattr(failure.execution_context, "watched", None)
            if watched is not None:
                end(watched, failure.original_exception)

        for engine in self._engines:
            event.listen(engine, "before_cursor_execute", before)
            event.listen(engine, "after_cursor_execute", after)
            event.listen(engine, "handle_error", failed)

    def _note(self, *_: Any) -> None:
        self.count += 1
        count = current.get()
        if count is not None:
            count.statements += 1
