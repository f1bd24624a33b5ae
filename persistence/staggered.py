"""Starts attempts one after another, and takes the first that succeeds (RFC 8305, "Happy Eyeballs")."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")
Attempt = Callable[[], Coroutine[Any, Any, ResultT]]


async def first_success(
    attempts: Sequence[Attempt[ResultT]], *, delay: float, discard: Callable[[ResultT], None]
) -> ResultT:
    """The first result. The next attempt starts when one has failed, or none has succeeded for *delay* seconds.

    Attempts that still run are not cancelled; *discard* is called with their results.

    Raises:
        ExceptionGroup: all attempts failed; it has their errors, in the order of the failures.
    """
    waiting = list(attempts)
    running: set[asyncio.Task[ResultT]] = set()
    errors: list[Exception] = []
    try:
        while waiting or running:
            if waiting:
                running.add(asyncio.create_task(waiting.pop(0)()))
            done, _ = await asyncio.wait(
                running, timeout=delay if waiting else None, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                running.discard(task)
                if (error := task.exception()) is None:
                    _discard_others(done - {task}, discard)
                    return task.result()
                if not isinstance(error, Exception):
                    raise error
                errors.append(error)
        raise ExceptionGroup("all attempts failed", errors)
    finally:
        _discard_others(running, discard)


def _discard_others(tasks: set[asyncio.Task[ResultT]], discard: Callable[[ResultT], None]) -> None:
    for task in tasks:
        task.add_done_callback(partial(_discard, discard))


def _discard(discard: Callable[[ResultT], None], task: asyncio.Task[ResultT]) -> None:
    if not task.cancelled() and task.exception() is None:
        discard(task.result())
