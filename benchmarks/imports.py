"""How fast `taskriver import` creates tasks: the command as an operator runs it, with a file of JSON Lines or CSV.

The command has one core, PostgreSQL the other one. The table is empty at the start. Four of five tasks have an
assignee, and all have a description of about 130 characters. The rate is that which the command prints: it counts from
the first line to the last commit. The processor time is that of the command, without that of an import of no task.
"""

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import uvloop

from benchmarks.copies import without_tasks
from benchmarks.dataset import PEOPLE, row_id
from benchmarks.environment import Stage
from benchmarks.process import MEGABYTE, cores
from benchmarks.results import Measurement
from benchmarks.rewind import count_tasks, events_after
from benchmarks.rounds import Plan

PART: Final = "import"
FORMATS: Final = ("csv", "jsonl")
TASKS: Final = 100_000
SHORT_TASKS: Final = 20_000
"""For `make bench`."""
_DATABASE: Final = "imported"
_PATIENCE_SECONDS: Final = 600.0
_POLL_SECONDS: Final = 0.05
_STATUSES: Final = ("TODO", "IN_PROGRESS", "DONE")
_PRIORITIES: Final = ("LOW", "MEDIUM", "HIGH", "URGENT")


@dataclass(frozen=True, slots=True)
class Import:
    """An import of this number of tasks in each format: tasks per second."""

    tasks: int = TASKS
    name: str = PART
    names: tuple[str, ...] = (PART,)
    about: str = "tasks created by `taskriver import`, per second"

    @property
    def weight(self) -> float:
        """The time of a round, in ordinary measurements of a workload."""
        return 2 * len(FORMATS) * self.tasks / SHORT_TASKS

    def play(self, ground: Stage, plan: Plan, first: int) -> Iterator[list[Measurement]]:
        """In each round, each format in a new database."""
        files = {kind: _file(ground.folder / f"import-{self.tasks}.{kind}", self.tasks) for kind in FORMATS}
        nothing = _file(ground.folder / "import-0.csv", 0)
        for number in range(first, plan.rounds):
            with without_tasks(ground.ours, _DATABASE) as url:
                start = run_import(nothing, url, ground.redis)
            yield [self._measure(ground, kind, files[kind], start, number) for kind in FORMATS]

    def _measure(self, ground: Stage, kind: str, file: Path, start: "Run", number: int) -> Measurement:
        with without_tasks(ground.ours, _DATABASE) as url:
            run = run_import(file, url, ground.redis)
            counts = uvloop.run(count_tasks(url)), uvloop.run(events_after(url, 0))
            if counts != (self.tasks, self.tasks):
                raise RuntimeError(f"The import of {self.tasks} tasks made {counts[0]} tasks and {counts[1]} events")
        numbers = {
            "per_cpu": self.tasks / max(run.used - start.used, 1e-2),
            "seconds": run.seconds,
            "memory": run.memory,
        }
        return Measurement(f"{PART}/{kind}", "ours", number, run.rate, numbers)


def records(tasks: int) -> Iterator[Mapping[str, Any]]:
    """The tasks of a file, as an export writes them; an id is the same in each format."""
    for number in range(1, tasks + 1):
        done = _STATUSES[number % 3] == "DONE"
        yield {
            "id": str(row_id(f"i{number}")),
            "title": f"Imported task {number} - prepare the quarterly report",
            "description": f"Description of task {number}: " + "lorem ipsum dolor sit amet " * 4,
            "status": _STATUSES[number % 3],
            "priority": _PRIORITIES[number % 4],
            "dueAt": "2026-12-24T18:00:00Z" if number % 2 else None,
            "owner": "user1",
            "assignee": f"user{1 + number * 13 % PEOPLE}" if number % 5 else None,
            "createdAt": f"2026-01-{1 + number % 28:02}T12:00:00.123Z",
            "updatedAt": "2026-02-01T00:00:00Z",
            "completedAt": "2026-02-01T00:00:00Z" if done else None,
            "version": 3,
            "project": None,
            "key": None,
            "labels": [],
            "comments": [],
            "parent": None,
            "rank": None,
        }


def write_records(file: Path, tasks: int) -> None:
    """Write the tasks into a file, in the format of its suffix."""
    with file.open("w", newline="") as out:
        if file.suffix == ".csv":
            rows = csv.DictWriter(out, list(next(records(1))), lineterminator="\n")
            rows.writeheader()
            rows.writerows(
                {**record, "labels": "", "comments": "", "parent": "", "rank": ""} for record in records(tasks)
            )
        else:
            out.writelines(f"{json.dumps(record)}\n" for record in records(tasks))


def _file(file: Path, tasks: int) -> Path:
    write_records(file, tasks)
    return file


@dataclass(frozen=True, slots=True)
class Run:
    """A run of the command: the rate that it prints, its processor time, its whole time, and its memory."""

    rate: float
    used: float
    seconds: float
    memory: float


def run_import(file: Path, url: str, redis: str) -> Run:
    """Run the command.

    Raises:
        RuntimeError: it failed.
    """
    core = cores()[0]
    pinned = ["taskset", "--cpu-list", str(core)] if core is not None else []
    command = [*pinned, sys.executable, "-m", "cli", "import", str(file), "--as", "user1", "--json"]
    environment = {**os.environ, "DATABASE_URL": url, "REDIS_URL": redis}
    began = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    used, memory = _watched(process)
    out, err = process.communicate(timeout=_PATIENCE_SECONDS)
    if process.returncode:
        raise RuntimeError(f"The import failed: {err[-500:]}")
    return Run(float(json.loads(out)["rate"]), used, time.monotonic() - began, memory)


def _watched(process: "subprocess.Popen[str]") -> tuple[float, float]:
    """Wait for the end of a process; returns its processor time, and its most memory (RSS) in megabytes."""
    before, peak = os.times(), 0.0
    status = Path(f"/proc/{process.pid}/status")
    end = time.monotonic() + _PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            lines = status.read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            break
        peak = max([peak, *(int(line.split()[1]) * 1024 / MEGABYTE for line in lines if line.startswith("VmHWM:"))])
        time.sleep(_POLL_SECONDS)
    process.wait(_PATIENCE_SECONDS)
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return used, peak
