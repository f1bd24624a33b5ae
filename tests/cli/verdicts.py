"""What an import says about each line of a file, and what its check says."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from cli.actor import actor_of
from cli.transfer.formats import Line
from cli.transfer.import_errors import ImportProblems
from cli.transfer.importer import BadLine, Importer, ImportOptions
from tests.support.builders import Builders


class LineProblems(ImportProblems):
    """The problem of each bad line, in the order in which they are reported."""

    def __init__(self) -> None:
        super().__init__()
        self.of_lines: dict[int, str] = {}

    def add(self, number: int, message: str) -> None:
        """Record that line *number* has this problem, the only one."""
        assert number not in self.of_lines
        self.of_lines[number] = message


@dataclass
class File:
    """The lines of a file, by field. An admin imports them, and each task belongs to the owner on its line."""

    build: Builders
    lines: Sequence[dict[str, Any]]
    source: str = "test"
    problems: LineProblems = field(default_factory=LineProblems)

    async def importer(self, **options: Any) -> Importer:
        """An import that has not started."""
        self.problems = LineProblems()
        root = await actor_of(self.build.database, "root")
        chosen = ImportOptions(root, "root", owners=True, source=self.source, **options)
        return Importer(self.build.database, chosen, self.problems, lambda _: None)

    async def run(self, **options: Any) -> tuple[list[tuple[int, str]], int, int]:
        """The bad lines with their problems, and how many lines are new and known."""
        importer = await self.importer(**options)
        await importer.take(Line(number, values) for number, values in enumerate(self.lines, 1))
        return list(self.problems.of_lines.items()), importer.counts.created, importer.counts.known

    async def check(self) -> tuple[list[tuple[int, str]], int, int]:
        """What a check says. It changes nothing."""
        async with self.build.unchanged():
            return await self.run(only_checks=True)

    async def import_good_lines(self) -> dict[int, str]:
        """Import the file, and skip the bad lines; the check says the same about each line before. Returns these."""
        checked = await self.check()
        before = await stored_tasks(self.build)
        imported = await self.run(skips_bad=True)
        assert imported == checked
        assert await stored_tasks(self.build) == before + imported[1]
        return dict(imported[0])

    async def import_until_bad(self) -> dict[int, str]:
        """Import the file until the first bad line, which the check says before. Returns the bad lines of the check."""
        problems, *_ = await self.check()
        before = await stored_tasks(self.build)
        importer = await self.importer()
        lines = (Line(number, values) for number, values in enumerate(self.lines, 1))
        if problems:
            with pytest.raises(BadLine) as stopped:
                await importer.take(lines)
            assert str(stopped.value) == "line {}: {}".format(*problems[0])
        else:
            await importer.take(lines)
        assert await stored_tasks(self.build) == before + importer.counts.created
        return dict(problems)


async def stored_tasks(build: Builders) -> int:
    """The number of stored tasks."""
    async with build.database.connect() as connection:
        return int((await connection.exec_driver_sql("SELECT count(*) FROM tasks")).scalar_one())
