"""`taskriver export`."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Final, TextIO

import typer

from cli.actor import actor_of
from cli.connections import database_of
from cli.errors import CommandError
from cli.output import counted, examples
from cli.progress import ProgressBar
from cli.settings import read_settings
from cli.transfer.columns import FIELDS
from cli.transfer.formats import WRITERS, Format
from cli.transfer.options import STANDARD, AsWhom, InFormat, format_of
from cli.transfer.task_record import write
from domain.actor import Actor
from domain.audit import AuditAction
from persistence.database import Database
from server.settings import Settings
from services import audit as audit_service
from services.import_export import snapshot_of_tasks
from services.task import count_tasks

Target = Annotated[Path, typer.Argument(help="File to write; - is standard output.")]
CursorTo = Annotated[Path | None, typer.Option(metavar="FILE", help="Also write the stream cursor to this file.")]

EXAMPLES: Final = examples(
    "taskriver export tasks.jsonl --as admin",
    "taskriver export --as alice --format csv | head",
    "taskriver export tasks.csv --as admin --cursor-to cursor.txt",
)


def export_tasks(
    username: AsWhom, file: Target = STANDARD, file_format: InFormat = None, cursor_to: CursorTo = None
) -> None:
    """Export all tasks that a user may see, as one snapshot.

    JSON Lines end with {"streamCursor": …}. Subscribe with this cursor as `after`, and you miss no change since the
    export. A file gets its name when it is complete.
    """
    settings = read_settings()
    chosen = format_of(file, file_format)
    with _opened(file) as target, ProgressBar("tasks", total=None) as meter:
        try:
            cursor = asyncio.run(_export(settings, username, target, chosen, meter))
        except _Unwritable as unwritable:
            raise unwritable.error from None
        if cursor_to is not None:
            _write_cursor(cursor_to, cursor)
    print(
        f"Exported {counted(meter.count, 'task')} ({meter.rate:,.0f}/s). Stream cursor: {cursor}",
        file=sys.stderr,
    )


class _Unwritable(Exception):
    """The target cannot be written. It is no `OSError`: within a transaction that would be a lost connection."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


async def _export(settings: Settings, username: str, target: TextIO, chosen: Format, meter: ProgressBar) -> str:
    async with database_of(settings, no_timeouts=True) as database:
        actor = await actor_of(database, username)
        tasks = await count_tasks(database.unit_of_work(actor))
        meter.expect(tasks)
        details = {"format": chosen.value, "tasks": tasks}
        await audit_service.record(database.unit_of_work(actor), AuditAction.EXPORT_STARTED, details)
        return await _write(database, actor, target, chosen, meter)


async def _write(database: Database, actor: Actor, target: TextIO, chosen: Format, meter: ProgressBar) -> str:
    async with snapshot_of_tasks(database.unit_of_work(actor)) as snapshot:
        cursor = snapshot.cursor.encode()
        with _writing():
            writer = WRITERS[chosen](target, FIELDS)
        async for page in snapshot.pages():
            with _writing():
                writer.write(map(write, page))
            meter.advance(len(page), at=meter.count + len(page))
        with _writing():
            writer.end(cursor, meter.count)
    return cursor


def _write_cursor(file: Path, cursor: str) -> None:
    try:
        file.write_text(cursor + "\n")
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}.") from error


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _Unwritable(error) from error


@contextmanager
def _opened(file: Path) -> Iterator[TextIO]:
    """The target. A file gets its name only when it is complete."""
    if file == STANDARD:
        yield sys.stdout
        sys.stdout.flush()
        return
    unfinished = file.with_name(f".{file.name}.unfinished")
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as target:
            yield target
        unfinished.replace(file)
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}.") from error
    finally:
        # If it could not be created, it cannot be removed.
        with suppress(OSError):
            unfinished.unlink()
