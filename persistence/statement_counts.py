"""How many statements were sent to the database, and for whom."""

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
    """Counts the statements of one request; whoever wants to know more of a request makes a subclass."""

    statements = 0


current: Final[ContextVar[StatementCount | None]] = ContextVar("statements", default=None)
"""Where it counts what this task, and the tasks that it begins, send to the database."""


class Statements:
    """All statements of some engines, and those that are run past them."""

    def __init__(self, *engines: AsyncEngine) -> None:
        self.count = 0
        self._watchers: list[tuple[Begin, End]] = []
        self._engines = [engine.sync_engine for engine in engines]
        for engine in self._engines:
            event.listen(engine, "before_cursor_execute", self._note)

    async def run(self, text: str, run: Callable[..., Awaitable[ResultT]], *arguments: Any) -> ResultT:
        """What *run* returns for these arguments, counted as a statement of this text."""
        self._note()
        if not self._watchers:
            return await run(*arguments)
        begun = [(end, begin(text)) for begin, end in self._watchers]
        failure: BaseException | None = None
        try:
            return await run(*arguments)
        except BaseException as error:
            failure = error
            raise
        finally:
            for end, watched in begun:
                end(watched, failure)

    def watch(self, begin: Begin, end: End) -> None:
        """Have *begin* called with the text of each statement, and *end* with what that returned when it is done."""
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
        tally = current.get()
        if tally is not None:
            tally.statements += 1
