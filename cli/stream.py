"""`taskriver stream …`: what an operator does to the stream of events."""

import asyncio
import sys
from typing import Annotated, Final

import typer

from cli.connections import database_of, database_url_of
from cli.output import examples
from cli.settings import read_settings
from domain.actor import OPERATOR
from server.errors import CommandError
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
    """Have every client load anew, since the history was replaced.

    A step of every restore: cursors that clients hold would else lead into a future that was lost.
    """
    settings = read_settings()
    database_url_of(settings)  # before anybody is asked
    if not yes:
        _ask()
    asyncio.run(_reset(settings))
    print("A new epoch has begun.")


def _ask() -> None:
    if not sys.stdin.isatty():
        raise CommandError("There is no terminal to ask whether you are sure: use --yes.")
    print("Every stream cursor of before becomes worthless: clients are told to load their lists anew.")
    typer.confirm("Begin a new epoch?", abort=True)


async def _reset(settings: Settings) -> None:
    async with database_of(settings) as database:
        await stream_service.reset_epoch(database.unit_of_work(OPERATOR))
