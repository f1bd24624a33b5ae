"""`taskriver project …`: lists and creates projects, and manages their members, with the same services as the API."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Final, TypeVar

import typer

from cli.actor import actor_of, user_of
from cli.connections import database_of
from cli.errors import CommandError
from cli.output import AsJSON, counted, examples, print_result
from cli.settings import read_settings
from cli.table import Column, table
from domain.actor import OPERATOR
from domain.project import ProjectRole
from domain.text import without_control_characters
from persistence.database import Database
from persistence.models import MembershipRow, UserRow, VisibleProjectRow
from server.settings import Settings
from services import membership as membership_service
from services import project as project_service

projects: Final = typer.Typer(help="List and create projects, and manage their members.", no_args_is_help=True)

ResultT = TypeVar("ResultT")
Key = Annotated[str, typer.Argument(help="The key of the project, in upper or lower case.")]
NewKey = Annotated[str, typer.Argument(help="2 to 10 letters and digits; the first is a letter.")]
ProjectName = Annotated[str, typer.Argument(help="The name of the project.")]
Manager = Annotated[str, typer.Option("--as", help="The user who creates the project and becomes its manager.")]
Description = Annotated[str, typer.Option(help="The description of the project.")]
Archived = Annotated[bool, typer.Option("--archived", help="List archived projects too.")]
SetRole = Annotated[
    list[str],
    typer.Option("--set", metavar="NAME=ROLE", help="Add a user, or change a role. Repeatable."),
]
Remove = Annotated[list[str], typer.Option("--remove", metavar="NAME", help="Remove a member. Repeatable.")]


@projects.command("list")
def list_(archived: Archived = False, as_json: AsJSON = False) -> None:
    """List all projects, by key, with the number of their tasks."""

    async def run(database: Database) -> list[tuple[VisibleProjectRow, int]]:
        wanted = None if archived else False
        found = await project_service.list_projects(database.unit_of_work(OPERATOR), is_archived=wanted)
        tasks = await project_service.count_tasks_in(database.unit_of_work(OPERATOR), projects=found)
        return [(project, tasks[project.id]) for project in found]

    found = _run(read_settings(), run)
    text = _projects(found) if found else "There are no projects."
    print_result(text, {"projects": [_project(*each) for each in found]}, as_json=as_json)


@projects.command(epilog=examples('taskriver project create WEB "Web site" --as alice'))
def create(
    key: NewKey, name: ProjectName, manager: Manager, description: Description = "", as_json: AsJSON = False
) -> None:
    """Create a project."""
    settings = read_settings()

    async def run(database: Database) -> VisibleProjectRow:
        actor = await actor_of(database, manager)
        return await project_service.create_project(
            database.unit_of_work(actor),
            creation=settings.project_creation,
            key=key,
            name=name,
            description=description,
        )

    project = _run(settings, run)
    print_result(f"Created {project.key}; {manager} is its manager.", _project(project, 0), as_json=as_json)


@projects.command(
    epilog=examples(
        "taskriver project members WEB",
        "taskriver project members WEB --set bob=member --remove dave",
    )
)
def members(key: Key, set_: SetRole = [], remove: Remove = [], as_json: AsJSON = False) -> None:  # noqa: B006 - Typer
    """List the members of a project, after the changes of the options.

    Each change is made for itself: if one is refused, those before it are made.
    """
    changes = [_change(text) for text in set_]

    async def run(database: Database) -> list[tuple[MembershipRow, UserRow]]:
        project = await project_service.get_project(database.unit_of_work(OPERATOR), key=key)
        for name, role in changes:
            user = await user_of(database, name)
            await membership_service.put_member(
                database.unit_of_work(OPERATOR), project_id=project.id, user_id=user.id, role=role
            )
        for name in remove:
            user = await user_of(database, name)
            await membership_service.remove_member(
                database.unit_of_work(OPERATOR), project_id=project.id, user_id=user.id
            )
        return await membership_service.list_members(database.unit_of_work(OPERATOR), project_id=project.id)

    found = _run(read_settings(), run)
    print_result(_members(found), {"members": [_member(*each) for each in found]}, as_json=as_json)


def _projects(found: Sequence[tuple[VisibleProjectRow, int]]) -> str:
    columns = [Column("key"), Column("name"), Column("tasks"), Column("state")]
    rows = [
        [project.key, without_control_characters(project.name), f"{tasks:,}", _state(project)]
        for project, tasks in found
    ]
    return table(columns, rows)


def _state(project: VisibleProjectRow) -> str:
    return "archived" if project.is_archived else "active"


def _members(found: Sequence[tuple[MembershipRow, UserRow]]) -> str:
    rows = [[user.username, row.role.value, "active" if user.is_active else "disabled"] for row, user in found]
    shown = table([Column("member"), Column("role"), Column("state")], rows)
    return f"{shown}\n{counted(len(rows), 'member')}"


def _change(text: str) -> tuple[str, ProjectRole]:
    name, equals, role = text.partition("=")
    try:
        if name and equals:
            return name, ProjectRole(role.upper())
    except ValueError:
        pass
    roles = ", ".join(each.value for each in ProjectRole)
    raise CommandError(f"--set needs NAME=ROLE, not {text[:60]!a}; the roles are {roles}.")


def _project(project: VisibleProjectRow, tasks: int) -> dict[str, Any]:
    return {
        "uuid": str(project.id),
        "key": project.key,
        "name": project.name,
        "description": project.description,
        "isArchived": project.is_archived,
        "version": project.version,
        "tasks": tasks,
    }


def _member(membership: MembershipRow, user: UserRow) -> dict[str, Any]:
    return {
        "uuid": str(user.id),
        "username": user.username,
        "role": membership.role.value,
        "isActive": user.is_active,
    }


def _run(settings: Settings, work: Callable[[Database], Awaitable[ResultT]]) -> ResultT:
    async def run() -> ResultT:
        async with database_of(settings) as database:
            return await work(database)

    return asyncio.run(run())
