"""Finds the product's files whose code runs while a request is answered, or an event is delivered."""

import asyncio
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).parents[2]
PACKAGES = frozenset(
    {
        "cli",
        "server",
        "rest_api",
        "graphql_api",
        "asgi",
        "streaming",
        "services",
        "observability",
        "persistence",
        "domain",
    }
)


Tasks = AbstractSet[asyncio.Task[Any]]


@dataclass
class Trace:
    """The files whose functions were called, for each task; None stands for callbacks and threads."""

    files: defaultdict[asyncio.Task[Any] | None, set[str]] = field(default_factory=lambda: defaultdict(set))

    def record(self, frame: FrameType, event: str, argument: object) -> None:
        """Record the file of a function that is called; a profile function of the interpreter."""
        if event == "call":
            self.files[_current_task()].add(frame.f_code.co_filename)

    def named(self, name: str) -> Tasks:
        """The tasks with this name."""
        return {task for task in self.files if task is not None and task.get_name() == name}

    def product(self, *, without: Tasks) -> set[str]:
        """The files of the product's packages, relative to the root of the repository, without those of some tasks."""
        called = {Path(file) for task, files in self.files.items() if task not in without for file in files}
        paths = {str(file.relative_to(ROOT)) for file in called if file.is_relative_to(ROOT)}
        return {path for path in paths if path.partition("/")[0] in PACKAGES}


@contextmanager
def traced() -> Iterator[Trace]:
    """Trace the calls in the block, in all tasks and threads."""
    trace = Trace()
    threading.setprofile(trace.record)
    sys.setprofile(trace.record)
    try:
        yield trace
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def _current_task() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None
