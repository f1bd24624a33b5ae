"""How the processes of one server show their numbers together: each keeps a file up to date in a folder of theirs.

A file is what remains of a process that died, so that counts do not fall when a worker is replaced.
"""

import asyncio
import logging
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import orjson

from observability.metrics import LOOP_LAG, Snapshot, merge

EVERY_SECONDS: Final = 1.0

_log: Final = logging.getLogger("taskriver.metrics")


class MetricsFile:
    """A process's own file; *take* says what the numbers are now."""

    def __init__(self, folder: Path, take: Callable[[], Snapshot]) -> None:
        self._path = folder / f"{os.getpid()}-{secrets.token_hex(4)}.json"
        self._take = take

    async def keep(self) -> None:
        """Write it every second, until cancelled; a full disk costs numbers, and nothing else."""
        loop = asyncio.get_running_loop()
        lag = 0.0
        while True:
            self._try_to_write(lag)
            due = loop.time() + EVERY_SECONDS
            await asyncio.sleep(EVERY_SECONDS)
            lag = max(0.0, loop.time() - due)

    def close(self) -> None:
        """Write for the last time."""
        self._try_to_write(0.0, final=True)

    def _try_to_write(self, lag: float, *, final: bool = False) -> None:
        try:
            self._write(lag, final=final)
        except Exception:
            _log.exception("the numbers could not be written")

    def _write(self, lag: float, *, final: bool) -> None:
        snapshot = self._take() | {LOOP_LAG.name: {(): lag}}
        values = {name: [[labels, value] for labels, value in samples.items()] for name, samples in snapshot.items()}
        new = self._path.with_suffix(".new")
        new.write_bytes(orjson.dumps({"pid": os.getpid(), "final": final, "values": values}))
        new.replace(self._path)


class MetricsFolder:
    """The folder, for whoever adds up."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._gone: Snapshot = {}

    def read(self) -> Snapshot:
        """All processes' numbers as one's, those of the dead included where they count."""
        living: list[Snapshot] = []
        for path in sorted(self._folder.glob("*.json")):
            with suppress(OSError, ValueError, KeyError, TypeError):
                self._take(path, living)
        total: Snapshot = {}
        merge(total, self._gone, alive=False)
        for snapshot in living:
            merge(total, snapshot)
        return total

    def _take(self, path: Path, living: list[Snapshot]) -> None:
        content = orjson.loads(path.read_bytes())
        snapshot = _snapshot(content["values"])
        if not content["final"] and _lives(content["pid"]):
            living.append(snapshot)
            return
        path.unlink()
        merge(self._gone, snapshot, alive=False)


def _snapshot(values: dict[str, Any]) -> Snapshot:
    return {
        name: {tuple(labels): tuple(value) if isinstance(value, list) else value for labels, value in samples}
        for name, samples in values.items()
    }


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
