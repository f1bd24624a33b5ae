"""Work whose first step was taken before anybody awaits it."""

from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from typing import Any, Generic, TypeVar

ResultT = TypeVar("ResultT")
Step = Callable[[], Any]
"""Goes on until the work waits again, and says for what; raises what it raises, StopIteration when it is over."""


class Begun(Generic[ResultT]):
    """A coroutine that has run up to where it first waits; to be awaited once.

    A task is resumed in the loop's next round. What it will do first can be done before, by whoever makes it possible:
    a statement is sent when a connection has become free, and not when the one who wants it sent gets his turn.
    Python 3.12 has tasks that begin so.
    """

    def __init__(self, work: Coroutine[Any, Any, ResultT], context: Context) -> None:
        self._work = work
        self._step = _first(work, context)

    def __await__(self) -> Generator[Any, Any, ResultT]:
        step = self._step
        while True:
            try:
                waits_for = step()
            except StopIteration as end:
                result: ResultT = end.value
                return result
            try:
                sent = yield waits_for
            except BaseException as error:
                step = _throwing(self._work, error)
            else:
                step = _sending(self._work, sent)

    def close(self) -> None:
        """Nobody will await it."""
        self._work.close()


def _first(work: Coroutine[Any, Any, Any], context: Context) -> Step:
    """The step that tells what came of the first one."""
    try:
        waits_for = context.run(work.send, None)
    except BaseException as end:
        return _raising(end)
    return lambda: waits_for


def _sending(work: Coroutine[Any, Any, Any], value: Any) -> Step:
    return lambda: work.send(value)


def _throwing(work: Coroutine[Any, Any, Any], error: BaseException) -> Step:
    return lambda: work.throw(error)


def _raising(error: BaseException) -> Step:
    def step() -> Any:
        raise error

    return step
