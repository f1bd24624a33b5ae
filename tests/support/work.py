"""How much work something is: the number of calls of Python functions, which no machine's speed changes."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType


@dataclass
class Work:
    """What this thread did in a block."""

    calls: int = 0

    def count(self, frame: FrameType, event: str, argument: object) -> None:
        """Count calls by a hook of the interpreter."""
        self.calls += event == "call"


@contextmanager
def counted() -> Iterator[Work]:
    """Count the calls in the block."""
    work = Work()
    sys.setprofile(work.count)
    try:
        yield work
    finally:
        sys.setprofile(None)
