"""`taskriver stream …`: how an operator manages the event stream."""

import asyncio
import sys
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


def _ask() -> None:
    if not sys.stdin.isatty():
        raise CommandError("There is no terminal for the confirmation: use --yes.")
    print("All existing stream cursors become invalid. Every client loads its lists again.")
    typer.confirm("Start a new epoch?", abort=True)


async def _reset(settings: Settings) -> None:
    async with database_of(settings) as database:
        await stream_service.reset_epoch(database.unit_of_work(OPERATOR))
