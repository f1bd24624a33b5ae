"""What an operator sees: the health endpoint, metrics and the log of each process."""

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Final

import httpx

from tests.chaos.process import Process
from tests.outages.servers import Servers
from tests.support.waiting import HANG_SECONDS

_INTERVAL_SECONDS: Final = 0.2
_TIMEOUT_SECONDS: Final = 5.0
"""As the probes in deploy/kubernetes."""
_HEALTHY: Final = "ok"
_SILENT: Final = "no answer"
_LEVELS: Final = ("warning", "error", "critical")
_LOWEST: Final = ("taskriver_processes_ready", "taskriver_processes_with_redis")
"""Metrics that are 1 in a healthy process, and 0 otherwise."""
_GREATEST: Final = {"taskriver_events_unread": 1.0, "taskriver_lease_age_seconds": 1.0, "taskriver_resyncs_total": 0.0}
"""Metrics that are above these values when something is wrong."""
_NUMBER: Final = re.compile(r"\b\d+(\.\d+)?\b")


class Observer:
    """Asks each process for its health and its metrics, five times a second, each within five seconds."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._states: list[list[tuple[float, str]]] = [[] for _ in servers.processes]
        self._metrics: list[dict[str, list[float]]] = [{} for _ in servers.processes]
        self._log_sizes = [_size(process) for process in servers.processes]

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Observer"]:
        """Ask as long as the block runs."""
        tasks = [
            asyncio.create_task(ask(number))
            for ask in (self._ask_health, self._ask_metrics)
            for number in range(len(self._states))
        ]
        try:
            async with asyncio.timeout(HANG_SECONDS):
                while not all(self._states):  # as a probe has asked long before an outage
                    await asyncio.sleep(0.02)
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def health(self) -> list[str]:
        """What `/readyz` said other than `ok`, with the number of processes and the longest time."""
        by_state: dict[str, list[float]] = {}
        for states in self._states:
            for state, seconds in _durations(states).items():
                by_state.setdefault(state, []).append(seconds)
        return [
            f"{state} ({len(times)} of {len(self._states)}, {max(times):.1f} s)" for state, times in by_state.items()
        ]

    def metrics(self) -> list[str]:
        """The metrics that showed that something is wrong, with their worst values."""
        lowest = {
            name: min((min(each[name]) for each in self._metrics if name in each), default=1.0) for name in _LOWEST
        }
        found = [f"`{name}` 0" for name, value in lowest.items() if value < 1]
        for name, usual in _GREATEST.items():
            worst = max((max(values[name]) for values in self._metrics if name in values), default=0.0)
            if worst > usual:
                found.append(f"`{name}` up to {worst:.0f}")
        return found

    def log_lines(self) -> Counter[str]:
        """The warnings and errors since the beginning, with their numbers replaced."""
        lines: Counter[str] = Counter()
        for process, size in zip(self._servers.processes, self._log_sizes, strict=True):
            with process.log.open("rb") as file:
                file.seek(size)
                lines.update(_messages(file.read().decode(errors="replace")))
        return lines

    async def _ask_health(self, number: int) -> None:
        url = f"http://127.0.0.1:{self._servers.processes[number].port}/readyz"
        async for response in _asked(url):
            self._states[number].append((time.monotonic(), _state(response)))

    async def _ask_metrics(self, number: int) -> None:
        url = f"http://127.0.0.1:{self._servers.metrics_ports[number]}/metrics"
        async for response in _asked(url):
            for name, value in _values(response.text if response is not None else "").items():
                self._metrics[number].setdefault(name, []).append(value)


async def _asked(url: str) -> AsyncIterator[httpx.Response | None]:
    """The answers of an endpoint, each over a new connection; None without an answer."""
    unshared = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, limits=unshared, verify=False) as client:  # noqa: S501 - HTTP
        while True:
            try:
                yield await client.get(url)
            except httpx.TransportError:
                yield None
            await asyncio.sleep(_INTERVAL_SECONDS)


def _state(response: httpx.Response | None) -> str:
    if response is None:
        return _SILENT
    body = response.json()
    if body["status"] == _HEALTHY:
        return _HEALTHY
    wrong = [f"{name}: {value}" for name, value in body["checks"].items() if value not in (_HEALTHY, False)]
    return f"{response.status_code} `{', '.join(wrong)}`"


def _durations(states: list[tuple[float, str]]) -> Mapping[str, float]:
    """Seconds in each state other than healthy: each answer is valid since the one before it."""
    seconds: dict[str, float] = {}
    for (before, _), (now, state) in pairwise(states):
        if state != _HEALTHY:
            seconds[state] = seconds.get(state, 0.0) + now - before
    return seconds


def _values(text: str) -> Mapping[str, float]:
    """The values of the metrics that count here."""
    found = {}
    for line in text.splitlines():
        name, _, value = line.rpartition(" ")
        if name in _LOWEST or name in _GREATEST:
            found[name] = float(value)
    return found


def _messages(text: str) -> Iterator[str]:
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if entry.get("level") in _LEVELS:
            yield _NUMBER.sub("N", str(entry["event"]))


def _size(process: Process) -> int:
    return process.log.stat().st_size if process.log.exists() else 0
