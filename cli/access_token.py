"""`taskriver access-token …`: how an operator manages the personal access tokens of a user."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

import typer

from cli.actor import actor_of
from cli.connections import database_of
from cli.output import AsJSON, examples, print_result
from cli.settings import read_settings
from cli.table import Column, table
from domain.access_token import Scope
from domain.actor import Actor
from domain.text import without_control_characters
from persistence.database import Database
from persistence.models import AccessTokenRow
from server.settings import Settings
from services import access_token as access_token_service
from services.project import get_project

access_tokens: Final = typer.Typer(help="List, create and revoke access tokens of a user.", no_args_is_help=True)

ResultT = TypeVar("ResultT")
Username = Annotated[str, typer.Argument(help="The user as whom programs act with the token.")]
Name = Annotated[str, typer.Argument(help="What the token is for: 1 to 100 characters.")]
Scopes = Annotated[
    list[Scope],
    typer.Option(
        "--scope",
        metavar="SCOPE",
        help="tasks:read, tasks:write, projects:manage, account or admin. Repeatable.",
        case_sensitive=False,
    ),
]
ProjectKey = Annotated[
    str | None, typer.Option("--project", help="The key of a project: the token reaches this project only.")
]
Days = Annotated[int | None, typer.Option("--days", min=1, help="How long it lasts; at most MAX_TOKEN_DAYS.")]
TokenId = Annotated[UUID, typer.Argument(help="The id of the token, see `list`.")]


@access_tokens.command("list")
def list_(username: Username, as_json: AsJSON = False) -> None:
    """List the tokens of a user, the newest first, without their texts."""

    async def run(database: Database) -> list[AccessTokenRow]:
        actor = await actor_of(database, username)
        return await access_token_service.list_access_tokens(database.unit_of_work(actor), user_id=actor.user_id)

    found = _run(read_settings(), run)
    text = _table(found) if found else f"{username} has no personal access tokens."
    print_result(text, {"accessTokens": [_facts(row) for row in found]}, as_json=as_json)


@access_tokens.command(epilog=examples("taskriver access-token create alice CI --scope tasks:write > token.txt"))
def create(
    username: Username,
    name: Name,
    scopes: Scopes,
    days: Days = None,
    project: ProjectKey = None,
    as_json: AsJSON = False,
) -> None:
    """Create a token, and print its text. It is not stored, so it cannot be printed again.

    Pass it to a program in the variable TASKRIVER_TOKEN, and never as an argument: all users of the machine can see
    arguments. Without --days it lasts 90 days.
    """
    settings = read_settings()

    async def run(database: Database) -> access_token_service.CreatedToken:
        actor: Actor = await actor_of(database, username)
        found = await get_project(database.unit_of_work(actor), key=project) if project is not None else None
        return await access_token_service.create_access_token(
            database.unit_of_work(actor),
            user_id=actor.user_id,
            name=name,
            scopes=scopes,
            expires_at=datetime.now(UTC) + timedelta(days=days) if days is not None else None,
            max_lifetime=settings.max_token_lifetime,
            project_id=found.id if found is not None else None,
        )

    created = _run(settings, run)
    print_result(created.secret, _facts(created.row) | {"secret": created.secret}, as_json=as_json)


@access_tokens.command()
def revoke(username: Username, token_id: TokenId, as_json: AsJSON = False) -> None:
    """Revoke a token of a user. It ends within a second, also on open connections."""

    async def run(database: Database) -> UUID:
        actor = await actor_of(database, username)
        return await access_token_service.revoke_access_token(database.unit_of_work(actor), token_id=token_id)

    revoked = _run(read_settings(), run)
    print_result(f"Revoked the token {revoked}.", {"revoked": str(revoked)}, as_json=as_json)


def _facts(row: AccessTokenRow) -> dict[str, Any]:
    return {
        "uuid": str(row.id),
        "name": row.name,
        "scopes": list(row.scopes),
        "projectId": str(row.project_id) if row.project_id is not None else None,
        "createdAt": row.created_at.isoformat(),
        "expiresAt": row.expires_at.isoformat(),
        "lastUsedAt": row.last_used_at.isoformat() if row.last_used_at is not None else None,
    }


def _table(rows: Sequence[AccessTokenRow]) -> str:
    columns = (Column("id"), Column("name"), Column("scopes"), Column("expires"), Column("last used"))
    lines = [
        (
            str(row.id),
            without_control_characters(row.name),
            " ".join(row.scopes),
            f"{row.expires_at:%Y-%m-%d}",
            f"{row.last_used_at:%Y-%m-%d}" if row.last_used_at is not None else "never",
        )
        for row in rows
    ]
    return table(columns, lines)


def _run(settings: Settings, work: Callable[[Database], Awaitable[ResultT]]) -> ResultT:
    async def run() -> ResultT:
        async with database_of(settings) as database:
            return await work(database)

    return asyncio.run(run())
