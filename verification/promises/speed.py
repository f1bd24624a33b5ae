"""Reading a task takes no longer than with Mercurius and its JIT."""

import asyncio
import json
import os
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE
from typing import Any

from verification.promises.stack import Measured, Outcome, PromiseNotTried, Stack

COMPARISON = (sys.executable, "-m", "benchmarks.short")
TIMEOUT_SECONDS = 180.0


async def prove(stack: Stack) -> Measured:
    """Measure both servers alternately in several rounds; the ratios of all rounds must agree.

    Raises:
        NotTried: node, npm or wrk is missing, or the system is not Linux.
    """
    with tempfile.TemporaryDirectory(prefix="taskriver-speed-") as folder:
        return judged(await _compared(folder))


def judged(found: dict[str, Any]) -> Measured:
    """The result of `benchmarks.short` as text, and whether it keeps the promise."""
    times, rate = found["times"], found["rate"]
    value = (
        f"{found['ours']:.2f} ms against {found['theirs']:.2f} ms: {times['median']:.2f} times as fast "
        f"({times['least']:.2f} to {times['most']:.2f}); asked by 32 at once {rate['median']:.2f} × its answers"
    )
    return Measured(value, _outcome(times["least"], times["most"]))


def _outcome(least: float, most: float) -> Outcome:
    """Kept or broken if all rounds agree; otherwise it is not decided."""
    if least < 1 <= most:
        return Outcome.NOT_DECIDED
    return Outcome.of(least >= 1)


async def _compared(folder: str) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(*COMPARISON, folder, stdout=PIPE, stderr=PIPE)
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            # Like Ctrl-C: the process stops its servers.
            process.send_signal(signal.SIGINT)
            await process.wait()
    message = err.decode().strip().rpartition("\n")[2]
    if process.returncode == os.EX_UNAVAILABLE:
        raise PromiseNotTried(message)
    if process.returncode:
        raise RuntimeError(message)
    return dict(json.loads(out))
