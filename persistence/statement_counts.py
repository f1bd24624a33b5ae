"""Counts the statements that are sent to the database, in total and per request."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any, Final, TypeVar

ResultT = TypeVar("ResultT")
Begin = Callable[[str], Any]
End = Callable[[Any, BaseException | None], None]


class StatementCount:
    """The number of statements of one request; subclasses record more about the request."""

    statements = 0


current: Final[ContextVar[StatementCount | None]] = ContextVar("statements", default=None)
"""The counter of the current asyncio task and of the tasks that it starts."""


class Statements:
    """All statements of the connection pools."""

    def __init__(self) -> None:
        self.count = 0
        self._watchers: list[tuple[Begin, End]] = []

    async def run(self, text: str, run: Callable[..., Awaitable[ResultT]], *arguments: Any) -> ResultT:
        """Call *run* with these arguments, and count it as a statement with this text."""
        self.count += 1
        count = current.get()
        if count is not None:
            count.statements += 1
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
