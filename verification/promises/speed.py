"""Reading a task takes no longer than with Mercurius and its JIT."""

import asyncio
import json
import os
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE
from typing import Any

from verification.promises.stack import Measured, NotTried, Outcome, Stack

COMPARISON = (sys.executable, "-m", "benchmarks.short")
PATIENCE_SECONDS = 180.0


async def prove(stack: Stack) -> Measured:
    """Ask both in turn, round after round, on servers of the comparison's own; the ratios of all rounds must agree.

    Raises:
        NotTried: node, npm or wrk is missing, or this is no Linux.
    """
    with tempfile.TemporaryDirectory(prefix="taskriver-speed-") as folder:
        return judged(await _compared(folder))


def judged(found: dict[str, Any]) -> Measured:
    """What `benchmarks.short` found, in few words, and whether that is what is promised."""
    times, rate = found["times"], found["rate"]
    told = (
        f"{found['ours']:.2f} ms against {found['theirs']:.2f} ms: {times['median']:.2f} times as fast "
        f"({times['least']:.2f} to {times['most']:.2f}); asked by 32 at once {rate['median']:.2f} × its answers"
    )
    return Measured(told, _outcome(times["least"], times["most"]))


def _outcome(least: float, most: float) -> Outcome:
    """Kept or broken only if all rounds agree: a spread that includes 1 decides nothing."""
    if least < 1 <= most:
        return Outcome.NOT_DECIDED
    return Outcome.of(least >= 1)


async def _compared(folder: str) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(*COMPARISON, folder, stdout=PIPE, stderr=PIPE)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            # As Ctrl-C does: it ends the servers that it has started.
            process.send_signal(signal.SIGINT)
            await process.wait()
    said = err.decode().strip().rpartition("\n")[2]
    if process.returncode == os.EX_UNAVAILABLE:
        raise NotTried(said)
    if process.returncode:
        raise RuntimeError(said)
    return dict(json.loads(out))
