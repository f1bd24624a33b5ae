"""SIGINT and SIGTERM for commands that must clean up before they exit.

Other commands keep the default behaviour of signals.
"""

import asyncio
import signal
from collections.abc import Coroutine
from types import FrameType
from typing import Any, Final, NoReturn, TypeVar

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)

T = TypeVar("T")


def exit_on_signal() -> None:
    """From now on a signal raises `SystemExit(0)`, so that `with` and `finally` blocks run; later signals are ignored.

    Not for code in an event loop, where an exception at any instruction is unsafe: see `run`.
    """
    for each in SIGNALS:
        signal.signal(each, _on_signal)


def run(work: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run`, where a signal cancels the work; raises `SystemExit(0)` after the work has cleaned up."""
    was_signalled = False

    async def main() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None

        def on_signal(number: int, frame: FrameType | None) -> None:
            nonlocal was_signalled
            was_signalled = True
            loop.call_soon_threadsafe(task.cancel)

        previous = {each: signal.signal(each, on_signal) for each in SIGNALS}
        try:
            return await work
        finally:
            for each, handler in previous.items():
                signal.signal(each, handler)

    try:
        result = asyncio.run(main())
    except asyncio.CancelledError:
        exit_now()
    if was_signalled:
        exit_now()
    return result


def exit_now() -> NoReturn:
    """Exit with code 0, and ignore later signals."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(0)


def _on_signal(number: int, frame: FrameType | None) -> None:
    exit_now()
