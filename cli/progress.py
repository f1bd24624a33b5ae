"""The progress of a long command, on standard error: a bar on a terminal, else a line every ten seconds."""

import sys
import time
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

LINE_EVERY_SECONDS: Final = 10.0


class ProgressBar:
    """Counts what is done, and the rate. *total* has the same unit as `at` of `advance`; None if it is unknown."""

    def __init__(self, noun: str, *, total: int | None, paced: bool = True) -> None:
        self.count = 0
        self._noun = noun
        self._paced = paced
        self._began = self._last_line_at = time.monotonic()
        self._bar: Progress | None = None
        self._task = TaskID(0)
        if sys.stderr.isatty():
            self._bar = Progress(
                TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"),
                console=Console(stderr=True), transient=True,
            )  # fmt: skip
            self._task = self._bar.add_task(self.words, total=total)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    @property
    def rate(self) -> float:
        """Items per second."""
        return self.count / max(self.seconds, 0.001)

    @property
    def words(self) -> str:
        """The count, and the rate unless the bar was created without it."""
        return f"{self.count:,} {self._noun}" + (f", {self.rate:,.0f}/s" if self._paced else "")

    def expect(self, total: int) -> None:
        """Set the total, if it was not known at the start."""
        if self._bar is not None:
            self._bar.update(self._task, total=total)

    def advance(self, count: int, *, at: int) -> None:
        """Add *count* items; *at* is the position reached, in the unit of the total."""
        self.count += count
        if self._bar is not None:
            self._bar.update(self._task, completed=at, description=self.words)
        elif time.monotonic() - self._last_line_at > LINE_EVERY_SECONDS:
            self._last_line_at = time.monotonic()
            print(self.words, file=sys.stderr, flush=True)
