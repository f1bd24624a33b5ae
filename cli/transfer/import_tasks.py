"""`taskriver import`."""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, BinaryIO, Final

import typer

from cli.actor import actor_of
from cli.connections import database_of
from cli.errors import LOOK
from cli.output import AsJSON, answer, counted, examples
from cli.progress import ProgressBar
from cli.settings import read_settings
from cli.transfer import formats
from cli.transfer.columns import Columns
from cli.transfer.dates import DateReader
from cli.transfer.formats import READERS, Line
from cli.transfer.import_errors import Problems
from cli.transfer.importer import BadLine, ImportCounts, Importer, ImportOptions
from cli.transfer.options import STANDARD, AsWhom, InFormat, format_of
from server.errors import CommandError

File = Annotated[Path, typer.Argument(help="File to read; - is standard input.", show_default=False)]
Owners = Annotated[bool, typer.Option("--owners", help="Create each task in the name of its line's owner.")]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Leave bad lines out, report them, and go on.")]
OnlyCheck = Annotated[bool, typer.Option("--check", help="Report bad lines and create nothing.")]
Mapped = Annotated[
    list[str] | None, typer.Option("--map", metavar="NAME=FIELD", help="Import NAME as this field; repeatable.")
]
Ignore = Annotated[list[str] | None, typer.Option(metavar="NAME", help="Leave this field out; repeatable.")]
Source = Annotated[str | None, typer.Option(metavar="NAME", help="Keep these ids, or line numbers, apart from others.")]
DateFormat = Annotated[
    list[str] | None, typer.Option(metavar="FORMAT", help="How times are written, such as %m/%d/%Y; repeatable.")
]
TimeZone = Annotated[
    str | None, typer.Option("--timezone", metavar="ZONE", help="Zone of times without an offset: Europe/Berlin.")
]
Encoding = Annotated[str, typer.Option(metavar="NAME", help="How the file is encoded: cp1252, latin-1, utf-16.")]

EXAMPLES: Final = examples(
    "taskriver import tasks.jsonl --as alice",
    "taskriver import everything.csv --as admin --owners --check",
    "taskriver import board.csv --as alice --source board --map Card=title \\",
    "    --date-format %d/%m/%Y --timezone Europe/Paris --encoding cp1252",
    "curl -s URL | taskriver import - --as alice --ignore owner_uuid",
)


def import_tasks(
    file: File,
    username: AsWhom,
    file_format: InFormat = None,
    owners: Owners = False,
    skip_bad: SkipBad = False,
    check: OnlyCheck = False,
    map_: Mapped = None,
    ignore: Ignore = None,
    source: Source = None,
    date_format: DateFormat = None,
    timezone: TimeZone = None,
    encoding: Encoding = "utf-8",
    as_json: AsJSON = False,
) -> None:
    """Create tasks from JSON Lines or CSV.

    Each task needs an id and a title. A task whose id was imported before is not created again: if an import was
    interrupted, or stopped at a bad line, repeat it. An id may be any name; a UUID is kept. The fields are those that
    `taskriver export` writes; upper and lower case, spaces and underscores in their names make no difference.
    """
    settings = read_settings()
    chosen = format_of(file, file_format)
    columns = Columns.parse(map_ or (), ignore or ())
    dates = DateReader.parse(date_format or (), timezone)
    problems = Problems()
    with _opened(file) as content, ProgressBar("tasks", total=_size(content)) as meter:
        text = formats.Source.of(content, encoding)  # kept: a wrapper that is collected closes the file
        lines = READERS[chosen](text, columns)

        async def work() -> ImportCounts:
            async with database_of(settings, patient=True) as database:
                actor = await actor_of(database, username)
                manner = ImportOptions(actor, username, owners, dates, source, skips_bad=skip_bad, only_checks=check)
                advance = partial(_advance, meter, content)
                return await _take(Importer(database, manner, problems, advance), lines)

        with _reporting(problems):
            tally = asyncio.run(work())
    facts = {**asdict(tally), "checked": check, "problems": problems.to_json()}
    facts |= {"seconds": round(meter.seconds, 3), "rate": round(meter.rate, 1)}
    answer(_words(tally, meter, checked=check), facts, as_json=as_json)
    raise typer.Exit(LOOK if tally.bad else 0)


@contextmanager
def _reporting(problems: Problems) -> Iterator[None]:
    """Print what was found, also when the import stops early."""
    try:
        yield
    finally:
        for line in problems.report():
            print(line, file=sys.stderr, flush=True)


def _advance(meter: ProgressBar, content: BinaryIO, tasks: int) -> None:
    meter.advance(tasks, at=content.tell() if content.seekable() else 0)


async def _take(arrivals: Importer, lines: Iterator[Line]) -> ImportCounts:
    try:
        await arrivals.take(lines)
    except BadLine as bad:
        before = counted(arrivals.tally.created, "task")
        raise CommandError(
            f"{bad} {before} before this line imported. Correct it and repeat the import, or use --skip-bad."
        ) from None
    return arrivals.tally


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    if file == STANDARD:
        yield sys.stdin.buffer
        return
    try:
        with file.open("rb") as source:
            yield source
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error


def _size(source: BinaryIO) -> int | None:
    if not source.seekable():
        return None
    size = source.seek(0, os.SEEK_END)
    source.seek(0)
    return size


def _words(tally: ImportCounts, meter: ProgressBar, *, checked: bool) -> str:
    if checked:
        return f"{counted(tally.created, 'line')} good, {tally.bad:,} bad; nothing was created."
    known = f", {tally.known:,} were there already" if tally.known else ""
    bad = f", {counted(tally.bad, 'line')} bad and left out" if tally.bad else ""
    rate = f" ({meter.rate:,.0f}/s)" if tally.created else ""
    return f"Imported {counted(tally.created, 'task')}{rate}{known}{bad}."
