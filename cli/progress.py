"""How far a long command is: a bar on a terminal, now and then a line elsewhere; on standard error."""

import sys
import time
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

LINE_EVERY_SECONDS: Final = 10.0


class ProgressBar:
    """Counts what is done, and at which rate; *total* is in whichever unit `at` is told in, None: nobody knows."""

    def __init__(self, noun: str, *, total: int | None, paced: bool = True) -> None:
        self.count = 0
        self._noun = noun
        self._paced = paced
        self._began = self._told = time.monotonic()
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
        """Since it began."""
        return time.monotonic() - self._began

    @property
    def rate(self) -> float:
        """Per second."""
        return self.count / max(self.seconds, 0.001)

    @property
    def words(self) -> str:
        """How many by now, and how fast where that is of interest."""
        return f"{self.count:,} {self._noun}" + (f", {self.rate:,.0f}/s" if self._paced else "")

    def expect(self, total: int) -> None:
        """How much there will be, if that is known only now."""
        if self._bar is not None:
            self._bar.update(self._task, total=total)

    def advance(self, count: int, *, at: int) -> None:
        """So many more are done, and *at* of the total is reached."""
        self.count += count
        if self._bar is not None:
            self._bar.update(self._task, completed=at, description=self.words)
        elif time.monotonic() - self._told > LINE_EVERY_SECONDS:
            self._told = time.monotonic()
            print(self.words, file=sys.stderr, flush=True)
