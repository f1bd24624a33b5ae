"""`taskriver invitation …`: how an operator invites people, with the same services as the API."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

import typer

from cli.connections import database_of
from cli.output import AsJSON, examples, print_result
from cli.settings import read_settings
from cli.table import Column, table
from domain.actor import OPERATOR
from domain.project import ProjectRole
from domain.text import without_control_characters
from domain.user import Role
from persistence.database import Database
from persistence.models import InvitationRow
from server.settings import Settings
from services import invitation as invitation_service
from services import project as project_service
from services.invitation import CreatedInvitation
from services.mail import LinkMaker

invitations: Final = typer.Typer(help="Invite people, list and revoke invitations.", no_args_is_help=True)

ResultT = TypeVar("ResultT")
Email = Annotated[str, typer.Argument(help="The e-mail address of the person.")]
RoleName = Annotated[Role, typer.Option("--role", help="The role of the new account.", case_sensitive=False)]
Project = Annotated[str | None, typer.Option("--project", help="The key of a project that the person joins.")]
ProjectRoleName = Annotated[
    ProjectRole, typer.Option("--project-role", help="The role in the project.", case_sensitive=False)
]
InvitationId = Annotated[UUID, typer.Argument(help="The id of the invitation, see `list`.")]


@invitations.command(
    epilog=examples(
        "taskriver invitation create grace@example.org --role moderator",
        "taskriver invitation create grace@example.org --project WEB",
    )
)
def create(
    email: Email,
    role: RoleName = Role.USER,
    project: Project = None,
    project_role: ProjectRoleName = ProjectRole.MEMBER,
    as_json: AsJSON = False,
) -> None:
    """Invite a person.

    If SMTP_HOST is set, a running server mails the link. Otherwise the link is printed, and cannot be printed again.
    """
    settings = read_settings()

    async def run(database: Database) -> CreatedInvitation:
        project_id = None
        if project is not None:
            found = await project_service.get_project(database.unit_of_work(OPERATOR), key=project)
            project_id = found.id
        return await invitation_service.create_invitation(
            database.unit_of_work(OPERATOR),
            email=email,
            role=role,
            project_id=project_id,
            project_role=project_role if project_id is not None else None,
            lifetime=settings.invitation_lifetime,
            links=LinkMaker(next(iter(settings.key_ring.values())), settings.public_url),
            sends_mail=settings.sends_mail,
        )

    created = _run(settings, run)
    text = created.link if created.link is not None else f"{created.row.email} gets a mail with a link."
    print_result(text, _facts(created.row) | {"link": created.link}, as_json=as_json)


@invitations.command("list")
def list_(as_json: AsJSON = False) -> None:
    """List the newest invitations, at most a hundred."""

    async def run(database: Database) -> list[InvitationRow]:
        return await invitation_service.list_invitations(database.unit_of_work(OPERATOR))

    found = _run(read_settings(), run)
    text = _table(found) if found else "There are no invitations."
    print_result(text, {"invitations": [_facts(row) for row in found]}, as_json=as_json)


@invitations.command()
def revoke(invitation_id: InvitationId, as_json: AsJSON = False) -> None:
    """Delete an invitation. Its link has no effect any more."""

    async def run(database: Database) -> UUID:
        return await invitation_service.revoke_invitation(database.unit_of_work(OPERATOR), invitation_id=invitation_id)

    revoked = _run(read_settings(), run)
    print_result(f"Revoked the invitation {revoked}.", {"revoked": str(revoked)}, as_json=as_json)


def _facts(row: InvitationRow) -> dict[str, Any]:
    return {
        "uuid": str(row.id),
        "email": row.email,
        "role": row.role.value,
        "projectUuid": str(row.project_id) if row.project_id is not None else None,
        "projectRole": row.project_role.value if row.project_role is not None else None,
        "createdAt": row.created_at.isoformat(),
        "expiresAt": row.expires_at.isoformat(),
        "acceptedAt": row.accepted_at.isoformat() if row.accepted_at is not None else None,
    }


def _table(rows: Sequence[InvitationRow]) -> str:
    columns = (Column("id"), Column("email"), Column("role"), Column("expires"), Column("accepted"))
    lines = [
        (
            str(row.id),
            without_control_characters(row.email),
            row.role.value,
            f"{row.expires_at:%Y-%m-%d}",
            f"{row.accepted_at:%Y-%m-%d}" if row.accepted_at is not None else "no",
        )
        for row in rows
    ]
    return table(columns, lines)


def _run(settings: Settings, work: Callable[[Database], Awaitable[ResultT]]) -> ResultT:
    async def run() -> ResultT:
        async with database_of(settings) as database:
            return await work(database)

    return asyncio.run(run())
