"""A sampling profiler: records the stack after every millisecond of processor time.

The kernel counts the processor time of the process (ITIMER_PROF), so a waiting process is not sampled. Python handles
the signal between two bytecodes: C code counts for the line that called it.
"""

import json
import signal
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Final

EVERY_SECONDS: Final = 0.001
SWITCH: Final = signal.SIGUSR1
_ROOT: Final = Path(__file__).parents[1]


class Sampler:
    """Switched on and off by a signal; writes its samples into a file when it is switched off."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._on = False
        self._lines: Counter[str] = Counter()
        self._functions: Counter[str] = Counter()
        self._looks = 0

    def install(self) -> None:
        """Handle the signals."""
        signal.signal(SWITCH, self._switch)
        signal.signal(signal.SIGPROF, self._look)

    def _switch(self, number: int, frame: FrameType | None) -> None:
        self._on = not self._on
        signal.setitimer(signal.ITIMER_PROF, EVERY_SECONDS * self._on, EVERY_SECONDS)
        if not self._on:
            seen = {"looks": self._looks, "lines": self._lines, "functions": self._functions}
            self._file.with_suffix(".new").write_text(json.dumps(seen))
            self._file.with_suffix(".new").rename(self._file)

    def _look(self, number: int, frame: FrameType | None) -> None:
        if frame is None:
            return
        self._looks += 1
        self._lines[f"{_place(frame)}:{frame.f_lineno} {frame.f_code.co_qualname}"] += 1
        on_the_stack = set()
        while frame is not None:
            on_the_stack.add(f"{_place(frame)} {frame.f_code.co_qualname}")
            frame = frame.f_back
        self._functions.update(on_the_stack)


def most(counts: Mapping[str, int], looks: int, many: int) -> list[str]:
    """The *many* that were sampled most often, each with its share of all samples."""
    return [f"{count / looks:7.1%}  {place}" for place, count in Counter(counts).most_common(many)]


def _place(frame: FrameType) -> str:
    path = Path(frame.f_code.co_filename)
    parts = path.parts
    if "site-packages" in parts:
        return "/".join(parts[parts.index("site-packages") + 1 :])
    return str(path.relative_to(_ROOT)) if path.is_relative_to(_ROOT) else path.name
