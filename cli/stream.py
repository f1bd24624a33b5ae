"""`taskriver stream …`: how an operator manages the event stream."""

import asyncio
import sys
from enum import StrEnum
from typing import Annotated, Final

import typer

from cli.connections import database_of, database_url_of
from cli.errors import CommandError
from cli.output import examples
from cli.settings import read_settings
from domain.actor import OPERATOR
from server.settings import Settings
from services import stream as stream_service

stream: Final = typer.Typer(help="Manage the event stream.", no_args_is_help=True)


class CursorFormat(StrEnum):
    """The format of new stream cursors."""

    ONE = "1"
    TWO = "2"


Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]


@stream.command(
    "reset-epoch",
    epilog=examples(
        "taskriver stream reset-epoch",
        "pg_restore … && taskriver stream reset-epoch --yes",
    ),
)
def reset_epoch(yes: Yes = False) -> None:
    """Make every client load its lists again.

    Run this after every restore of a backup. Otherwise the cursors of clients may point to events that were lost.
    """
    settings = read_settings()
    database_url_of(settings)  # fail before the question
    if not yes:
        _ask()
    asyncio.run(_reset(settings))
    print("A new epoch has started.")


@stream.command(
    "cursor-format",
    epilog=examples("taskriver stream cursor-format 2"),
)
def cursor_format(number: Annotated[CursorFormat, typer.Argument(metavar="1|2", help="The format.")]) -> None:
    """Choose the format of new stream cursors, for all processes.

    A cursor of format 2 also shows whether the events before it are still the ones that its client has received. A new
    database starts with it. After an upgrade from a version that does not know it, choose it when the last process of
    that version has ended. Cursors of both formats are always accepted.
    """
    asyncio.run(_set_cursor_format(read_settings(), int(number)))
    print(f"New stream cursors have format {number}.")


def _ask() -> None:
    if not sys.stdin.isatty():
        raise CommandError("There is no terminal for the confirmation: use --yes.")
    print("All existing stream cursors become invalid. Every client loads its lists again.")
    typer.confirm("Start a new epoch?", abort=True)


async def _reset(settings: Settings) -> None:
    async with database_of(settings) as database:
        await stream_service.reset_epoch(database.unit_of_work(OPERATOR))


async def _set_cursor_format(settings: Settings, number: int) -> None:
    async with database_of(settings) as database:
        await stream_service.set_cursor_format(database.unit_of_work(OPERATOR), number)
