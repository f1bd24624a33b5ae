"""Prints the coverage of statements and branches by package: `make coverage`."""

import json
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any, Final

from coverage import Coverage
from rich.console import Console
from rich.table import Table

DIVIDED: Final = "graphql_api"
"""The package whose subpackages have separate lines."""


def summaries() -> Mapping[str, dict[str, int]]:
    """The measured counts by file."""
    coverage = Coverage()
    coverage.load()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "coverage.json"
        coverage.json_report(outfile=str(report))
        found: Mapping[str, Any] = json.loads(report.read_text())["files"]
    return {name: each["summary"] for name, each in found.items()}


def package_of(file: str) -> str:
    """The package of a file."""
    parts = PurePath(file).parts[:-1]
    return ".".join(parts[: 2 if parts[0] == DIVIDED else 1])


def by_package(files: Mapping[str, Mapping[str, int]]) -> dict[str, Counter[str]]:
    """The counts of each package, and the total."""
    found: dict[str, Counter[str]] = {}
    for name, summary in sorted(files.items()):
        for group in (package_of(name), "total"):
            found.setdefault(group, Counter()).update({key: summary[key] for key in _COUNTS})
    return found | {"total": found.pop("total")}


_COUNTS: Final = ("num_statements", "covered_lines", "num_branches", "covered_branches")


def table_of(packages: Mapping[str, Mapping[str, int]]) -> Table:
    """The table with a line for each package."""
    table = Table("package", "statements", "run", "branches", "run", box=None)
    for name, counts in packages.items():
        statements, lines, branches, taken = (counts[key] for key in _COUNTS)
        table.add_row(name, f"{statements:,}", _share(lines, statements), f"{branches:,}", _share(taken, branches))
    return table


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


if __name__ == "__main__":
    Console(width=100).print(table_of(by_package(summaries())))
