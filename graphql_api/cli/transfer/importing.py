"""`taskriver import`."""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, BinaryIO, Final

import typer

from graphql_api.cli.connection import database_of
from graphql_api.cli.environment import read_settings
from graphql_api.cli.failure import LOOK, CommandError
from graphql_api.cli.output import AsJSON, answer, counted, examples
from graphql_api.cli.people import actor_of
from graphql_api.cli.progress import Meter
from graphql_api.cli.transfer.arriving import Arrivals, BadLine, Manner, Tally
from graphql_api.cli.transfer.formats import READERS, Format
from graphql_api.cli.transfer.options import STANDARD, AsWhom, InFormat, format_of

File = Annotated[Path, typer.Argument(help="What to read; - is standard input.", show_default=False)]
Owners = Annotated[bool, typer.Option("--owners", help="Create each task in the name of its line's owner.")]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Report bad lines, leave them out, and go on.")]
OnlyCheck = Annotated[bool, typer.Option("--check", help="Report bad lines, and create nothing.")]
Ignore = Annotated[list[str] | None, typer.Option(metavar="FIELD", help="A field to leave out; may be repeated.")]
Source = Annotated[str | None, typer.Option(metavar="NAME", help="Sets these ids, or lines, apart from others.")]

EXAMPLES: Final = examples(
    "taskriver import tasks.jsonl --as alice",
    "taskriver import everything.csv --as admin --owners --check",
    "curl -s URL | taskriver import - --as alice --ignore owner_uuid",
)


def import_tasks(
    file: File,
    username: AsWhom,
    file_format: InFormat = None,
    owners: Owners = False,
    skip_bad: SkipBad = False,
    check: OnlyCheck = False,
    ignore: Ignore = None,
    source: Source = None,
    as_json: AsJSON = False,
) -> None:
    """Create tasks from JSON Lines or CSV.

    A task needs an id and a title. One whose id came before is not made again, so that an import that was cut off, or
    stopped at a bad line, is simply repeated. An id may be any name; a UUID is kept. The fields are those that
    `taskriver export` writes; the REST API's names for them do as well.
    """
    settings = read_settings()
    chosen = format_of(file, file_format)
    with _opened(file) as content, Meter("tasks", total=_size(content)) as meter:

        async def work() -> Tally:
            async with database_of(settings, patient=True) as database:
                manner = Manner(
                    actor=await actor_of(database, username),
                    username=username,
                    owners=owners,
                    ignored=frozenset(ignore or ()),
                    source=source,
                    skips_bad=skip_bad,
                    only_checks=check,
                )
                return await _take(
                    Arrivals(database, manner, _complain, lambda tasks: meter.advance(tasks, at=_place(content))),
                    content,
                    chosen,
                )

        tally = asyncio.run(work())
    facts = {**asdict(tally), "checked": check, "seconds": round(meter.seconds, 3), "rate": round(meter.rate, 1)}
    answer(_words(tally, meter, checked=check), facts, as_json=as_json)
    raise typer.Exit(LOOK if tally.bad else 0)


async def _take(arrivals: Arrivals, source: BinaryIO, chosen: Format) -> Tally:
    try:
        await arrivals.take(READERS[chosen](source))
    except BadLine as bad:
        before = counted(arrivals.tally.created, "task")
        raise CommandError(
            f"{bad} {before} from before it came in; mend it and repeat, or leave bad lines out with --skip-bad."
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


def _place(source: BinaryIO) -> int:
    return source.tell() if source.seekable() else 0


def _complain(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _words(tally: Tally, meter: Meter, *, checked: bool) -> str:
    if checked:
        return f"{counted(tally.created, 'line')} good, {tally.bad:,} bad; nothing was created."
    known = f", {tally.known:,} were there already" if tally.known else ""
    bad = f", {counted(tally.bad, 'line')} bad and left out" if tally.bad else ""
    return f"Imported {counted(tally.created, 'task')} ({meter.rate:,.0f}/s){known}{bad}."
