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
from cli.errors import WARNING, CommandError
from cli.output import AsJSON, counted, examples, print_result
from cli.progress import ProgressBar
from cli.settings import read_settings
from cli.transfer import formats
from cli.transfer.columns import Columns
from cli.transfer.dates import DateReader
from cli.transfer.formats import READERS, Line
from cli.transfer.import_errors import ImportProblems
from cli.transfer.importer import BadLine, ImportCounts, Importer, ImportOptions
from cli.transfer.options import STANDARD, AsWhom, InFormat, format_of
from domain.audit import AuditAction
from services import audit as audit_service

File = Annotated[Path, typer.Argument(help="File to read; - is standard input.", show_default=False)]
Owners = Annotated[bool, typer.Option("--owners", help="Each task belongs to the owner on its line.")]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Skip bad lines, and list them.")]
OnlyCheck = Annotated[bool, typer.Option("--check", help="List bad lines, and create nothing.")]
Mapped = Annotated[
    list[str] | None, typer.Option("--map", metavar="NAME=FIELD", help="Import the column NAME as FIELD; repeatable.")
]
Ignore = Annotated[list[str] | None, typer.Option(metavar="NAME", help="Skip this column; repeatable.")]
Source = Annotated[
    str | None, typer.Option(metavar="NAME", help="Separate the ids of this source from those of others.")
]
DateFormat = Annotated[
    list[str] | None, typer.Option(metavar="FORMAT", help="Format of times, such as %m/%d/%Y; repeatable.")
]
TimeZone = Annotated[
    str | None, typer.Option("--timezone", metavar="ZONE", help="Time zone of times without an offset: Europe/Berlin.")
]
Encoding = Annotated[str, typer.Option(metavar="NAME", help="Encoding of the file: cp1252, latin-1, utf-16.")]

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

    Each task needs an id and a title. A task whose id was imported before is not created again: you can repeat an
    import that was interrupted or that stopped at a bad line. An id may be any name; a UUID is kept. The fields are
    those that `taskriver export` writes. Upper and lower case, spaces and underscores in their names do not matter.
    """
    settings = read_settings()
    chosen = format_of(file, file_format)
    columns = Columns.parse(map_ or (), ignore or ())
    dates = DateReader.parse(date_format or (), timezone)
    problems = ImportProblems()
    with _opened(file) as content, ProgressBar("tasks", total=_size(content)) as meter:
        text = formats.TextSource.of(content, encoding)  # keep a reference: garbage collection would close the file
        lines = READERS[chosen](text, columns)

        async def work() -> ImportCounts:
            async with database_of(settings, no_timeouts=True) as database:
                actor = await actor_of(database, username)
                options = ImportOptions(actor, username, owners, dates, source, skips_bad=skip_bad, only_checks=check)
                if not check:
                    details = {"format": chosen.value, "owners": owners, "source": source}
                    await audit_service.record(database.unit_of_work(actor), AuditAction.IMPORT_STARTED, details)
                advance = partial(_advance, meter, content)
                return await _run(Importer(database, options, problems, advance), lines)

        with _reporting(problems):
            counts = asyncio.run(work())
    facts = {**asdict(counts), "checked": check, "problems": problems.to_json()}
    facts |= {"seconds": round(meter.seconds, 3), "rate": round(meter.rate, 1)}
    print_result(_words(counts, meter, checked=check), facts, as_json=as_json)
    raise typer.Exit(WARNING if counts.bad else 0)


@contextmanager
def _reporting(problems: ImportProblems) -> Iterator[None]:
    """Print the problems, also when the import stops early."""
    try:
        yield
    finally:
        for line in problems.report():
            print(line, file=sys.stderr, flush=True)


def _advance(meter: ProgressBar, content: BinaryIO, tasks: int) -> None:
    meter.advance(tasks, at=content.tell() if content.seekable() else 0)


async def _run(importer: Importer, lines: Iterator[Line]) -> ImportCounts:
    try:
        await importer.take(lines)
    except BadLine as bad:
        raise CommandError(
            f"{bad} Imported so far: {counted(importer.counts.created, 'task')}. Correct the line and repeat the "
            "import, or use --skip-bad."
        ) from None
    return importer.counts


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


def _words(counts: ImportCounts, meter: ProgressBar, *, checked: bool) -> str:
    if checked:
        return f"Good: {counted(counts.created + counts.known, 'line')}. Bad: {counts.bad:,}. Nothing was created."
    known = f", {counts.known:,} existed already" if counts.known else ""
    bad = f", skipped {counted(counts.bad, 'bad line')}" if counts.bad else ""
    rate = f" ({meter.rate:,.0f}/s)" if counts.created else ""
    return f"Imported {counted(counts.created, 'task')}{rate}{known}{bad}."
