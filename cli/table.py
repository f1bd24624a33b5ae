"""Tables: they fit the width of a terminal; in a pipe each row is one complete line."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True, slots=True)
class Column:
    """A column; *styles* has the colours of some of its cells on a terminal."""

    title: str
    styles: Mapping[str, str] = field(default_factory=dict)


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> str:
    """The table as text, for standard output."""
    return _drawn(columns, rows) if sys.stdout.isatty() else _aligned(columns, rows)


def _drawn(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> str:
    console = Console()
    drawn = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False)
    for column in columns:
        drawn.add_column(column.title, no_wrap=bool(column.styles), overflow="fold")
    for row in rows:
        cells = zip(columns, row, strict=True)
        drawn.add_row(*(Text(cell, column.styles.get(cell, "")) for column, cell in cells))
    with console.capture() as captured:
        console.print(drawn)
    return "\n".join(line.rstrip() for line in captured.get().rstrip("\n").splitlines())


def _aligned(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> str:
    lines = [[column.title for column in columns], *rows]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)
