"""The bad lines of an import: one entry for each kind of problem, with the number of lines that have it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from cli.output import counted

_MOST_KINDS: Final = 100
_MOST_NUMBERS: Final = 5
_VALUES: Final = re.compile(r"'[^']*'|\"[^\"]*\"|[0-9][0-9,.]*")
"""The parts that differ between two messages of the same kind: quoted values and numbers."""


@dataclass(slots=True)
class ImportProblem:
    """One kind of problem: the message for the first line that has it, the first line numbers, and the count."""

    message: str
    lines: list[int] = field(default_factory=list)
    count: int = 0

    def __str__(self) -> str:
        text = f"line {self.lines[0]}: {self.message}"
        if self.count == 1:
            return text
        others = ", ".join(map(str, self.lines[1:]))
        rest = ", …" if self.count > len(self.lines) else ""
        return f"{text} Same problem in {counted(self.count - 1, 'more line')}: {others}{rest}."


class ImportProblems:
    """Problems by kind, in the order in which they were found; at most 100 kinds are recorded."""

    def __init__(self) -> None:
        self._kinds: dict[str, ImportProblem] = {}
        self._left_out = 0

    def add(self, number: int, message: str) -> None:
        """Record that line *number* has this problem."""
        kind = _VALUES.sub("…", message)
        if kind not in self._kinds and len(self._kinds) >= _MOST_KINDS:
            self._left_out += 1
            return
        problem = self._kinds.setdefault(kind, ImportProblem(message))
        problem.count += 1
        if len(problem.lines) <= _MOST_NUMBERS:
            problem.lines.append(number)

    def report(self) -> Iterator[str]:
        """One line of text for each kind."""
        yield from map(str, self._kinds.values())
        if self._left_out:
            yield f"{counted(self._left_out, 'more bad line')} with other problems."

    def to_json(self) -> list[dict[str, Any]]:
        """One object for each kind: `message`, `count`, and the first `lines`."""
        return [{"message": each.message, "count": each.count, "lines": each.lines} for each in self._kinds.values()]
