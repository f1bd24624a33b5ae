"""Ctrl-C and SIGTERM: how a command that has something to put down ends when it is told to.

All others end on the spot, as signals have it.
"""

import asyncio
import signal
from collections.abc import Coroutine
from types import FrameType
from typing import Any, Final, NoReturn, TypeVar

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)

T = TypeVar("T")


def in_order() -> None:
    """From now on all blocks are left, by `SystemExit(0)`; later signals do not disturb that.

    Not for code that an event loop runs, for which a bolt from the blue at any instruction is too much: see `run`.
    """
    for each in SIGNALS:
        signal.signal(each, _on_signal)


def run(work: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run`, where a signal cancels the work; `SystemExit(0)` when everything has been put down."""
    told = False

    async def main() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None

        def note(number: int, frame: FrameType | None) -> None:
            nonlocal told
            told = True
            loop.call_soon_threadsafe(task.cancel)

        former = {each: signal.signal(each, note) for each in SIGNALS}
        try:
            return await work
        finally:
            for each, handler in former.items():
                signal.signal(each, handler)

    try:
        result = asyncio.run(main())
    except asyncio.CancelledError:
        leave()
    if told:
        leave()
    return result


def leave() -> NoReturn:
    """End the command well, undisturbed by later signals."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(0)


def _on_signal(number: int, frame: FrameType | None) -> None:
    leave()
