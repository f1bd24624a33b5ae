"""Merges the metrics of the processes of one server: each process writes its metrics to a file in a shared folder.

The file of a process that has ended remains, so that counters do not decrease when a worker is replaced.
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
    """The file of one process; *take* returns its current metrics."""

    def __init__(self, folder: Path, take: Callable[[], Snapshot]) -> None:
        self._path = folder / f"{os.getpid()}-{secrets.token_hex(4)}.json"
        self._take = take

    async def run(self) -> None:
        """Write the file every second, until cancelled. A failed write, such as on a full disk, is only logged."""
        loop = asyncio.get_running_loop()
        lag = 0.0
        while True:
            self._try_write(lag)
            due = loop.time() + EVERY_SECONDS
            await asyncio.sleep(EVERY_SECONDS)
            lag = max(0.0, loop.time() - due)

    def close(self) -> None:
        """Write the file for the last time."""
        self._try_write(0.0, final=True)

    def _try_write(self, lag: float, *, final: bool = False) -> None:
        try:
            self._write(lag, final=final)
        except Exception:
            _log.exception("the metrics file could not be written")

    def _write(self, lag: float, *, final: bool) -> None:
        snapshot = self._take() | {LOOP_LAG.name: {(): lag}}
        values = {name: [[labels, value] for labels, value in samples.items()] for name, samples in snapshot.items()}
        new = self._path.with_suffix(".new")
        new.write_bytes(orjson.dumps({"pid": os.getpid(), "final": final, "values": values}))
        new.replace(self._path)


class MetricsFolder:
    """The shared folder, for the process that merges the files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ended: Snapshot = {}

    def read(self) -> Snapshot:
        """The merged metrics of all processes. Of ended processes only counters and histograms count."""
        running: list[Snapshot] = []
        for path in sorted(self._folder.glob("*.json")):
            with suppress(OSError, ValueError, KeyError, TypeError):
                self._take(path, running)
        total: Snapshot = {}
        merge(total, self._ended, alive=False)
        for snapshot in running:
            merge(total, snapshot)
        return total

    def _take(self, path: Path, running: list[Snapshot]) -> None:
        content = orjson.loads(path.read_bytes())
        snapshot = _snapshot(content["values"])
        if not content["final"] and _is_running(content["pid"]):
            running.append(snapshot)
            return
        path.unlink()
        merge(self._ended, snapshot, alive=False)


def _snapshot(values: dict[str, Any]) -> Snapshot:
    return {
        name: {tuple(labels): tuple(value) if isinstance(value, list) else value for labels, value in samples}
        for name, samples in values.items()
    }


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
