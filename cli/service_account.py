"""`taskriver service-account …`: creates and lists service accounts; `taskriver access-token` manages their tokens."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, TypeVar

import typer

from cli.connections import database_of
from cli.output import AsJSON, examples, print_result
from cli.settings import read_settings
from cli.table import Column, table
from domain.actor import OPERATOR
from domain.project import ProjectRole
from domain.user import Role
from persistence.database import Database
from persistence.models import UserRow
from services import service_account as service_account_service
from services.project import get_project

service_accounts: Final = typer.Typer(help="Create and list service accounts.", no_args_is_help=True)

ResultT = TypeVar("ResultT")
Name = Annotated[str, typer.Argument(help="The name of the account; the rules are those of usernames.")]
ProjectKey = Annotated[
    str | None, typer.Option("--project", help="The key of its project; without it, admins manage it.")
]
InProject = Annotated[
    ProjectRole, typer.Option("--project-role", help="Its role in the project.", case_sensitive=False)
]
RoleName = Annotated[Role, typer.Option(help="Its role; in a project it is USER.", case_sensitive=False)]


@service_accounts.command(
    epilog=examples(
        "taskriver service-account create deploy --project WEB --project-role viewer",
        "taskriver access-token create deploy CI --scope tasks:read > token.txt",
    )
)
def create(
    name: Name,
    project: ProjectKey = None,
    project_role: InProject = ProjectRole.MEMBER,
    role: RoleName = Role.USER,
    as_json: AsJSON = False,
) -> None:
    """Create a service account.

    It is a user that is a program, has access tokens only, and never signs in.
    """

    async def run(database: Database) -> UserRow:
        found = await get_project(database.unit_of_work(OPERATOR), key=project) if project is not None else None
        return await service_account_service.create_service_account(
            database.unit_of_work(OPERATOR),
            username=name,
            project_id=found.id if found is not None else None,
            project_role=project_role,
            role=role,
        )

    account = _run(run)
    print_result(f"Created the service account {account.username}.", _facts(account), as_json=as_json)


@service_accounts.command("list")
def list_(project: ProjectKey = None, as_json: AsJSON = False) -> None:
    """List the service accounts, the newest first."""

    async def run(database: Database) -> list[UserRow]:
        found = await get_project(database.unit_of_work(OPERATOR), key=project) if project is not None else None
        return await service_account_service.list_service_accounts(
            database.unit_of_work(OPERATOR), project_id=found.id if found is not None else None
        )

    accounts = _run(run)
    rows = [[each.username, each.role.value, "active" if each.is_active else "disabled"] for each in accounts]
    columns = (Column("name"), Column("role"), Column("state"))
    text = table(columns, rows) if rows else "There are no service accounts."
    print_result(text, {"serviceAccounts": [_facts(each) for each in accounts]}, as_json=as_json)


def _facts(account: UserRow) -> dict[str, Any]:
    return {
        "uuid": str(account.id),
        "username": account.username,
        "role": account.role.value,
        "isActive": account.is_active,
        "projectId": str(account.project_id) if account.project_id is not None else None,
    }


def _run(work: Callable[[Database], Awaitable[ResultT]]) -> ResultT:
    async def run() -> ResultT:
        async with database_of(read_settings()) as database:
            return await work(database)

    return asyncio.run(run())
