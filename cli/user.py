"""`taskriver user …`: how an operator manages users, with the same services as the API."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated, Final

import typer

from cli.actor import user_of
from cli.connections import database_of, database_url_of
from cli.errors import CommandError
from cli.output import AsJSON, examples, print_result
from cli.settings import read_settings
from domain.actor import OPERATOR
from domain.recovery import PATH as RECOVERY_PATH
from domain.user import Role
from graphql_api.auth.passwords import Passwords
from persistence.database import Database
from persistence.models import UserRow
from server.settings import Settings
from services import user as user_service
from services.recovery import CreatedRecovery, create_recovery
from services.user_deletion import Deletion, continue_deletion, delete_user

users: Final = typer.Typer(help="Create, change, recover and delete users.", no_args_is_help=True)

_PAUSE_SECONDS: Final = 0.5

Name = Annotated[str, typer.Argument(help="The username, in upper or lower case.")]
RoleName = Annotated[Role, typer.Option(help="The role of the user.", case_sensitive=False)]
NewRole = Annotated[Role, typer.Argument(help="USER, MODERATOR or ADMIN.", case_sensitive=False)]
Email = Annotated[str, typer.Argument(help="The e-mail address.")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@users.command(
    epilog=examples(
        "taskriver user create alice alice@example.org",
        "pass alice | taskriver user create alice a@example.org --password-stdin",
    )
)
def create(
    username: Name,
    email: Email,
    role: RoleName = Role.USER,
    password_stdin: FromStdin = False,
    as_json: AsJSON = False,
) -> None:
    """Create a user.

    Asks for the password, or reads it from standard input. It is not an argument, because all users of the machine can
    see arguments. With PASSWORD_LOGIN=false, the user has no password.
    """
    settings = read_settings()
    database_url_of(settings)  # fail before the question
    if not settings.password_login:
        if password_stdin:
            raise CommandError("PASSWORD_LOGIN is false, so users have no passwords: leave --password-stdin out.")
        _create_without_password(settings, username, email, role, as_json=as_json)
        return
    password = _from_stdin() if password_stdin else _ask_password()

    async def run(database: Database) -> UserRow:
        passwords = Passwords(settings.bcrypt_rounds)
        return await user_service.register(
            database.unit_of_work(OPERATOR),
            username=username,
            email=email,
            password=password,
            hash_password=passwords.hash,
            role=role,
        )

    user = _run(settings, run)
    print_result(f"Created {user.username}, role {user.role.value}.", _facts(user), as_json=as_json)


def _create_without_password(settings: Settings, username: str, email: str, role: Role, *, as_json: bool) -> None:
    async def run(database: Database) -> UserRow:
        return await user_service.create_without_password(
            database.unit_of_work(OPERATOR), username=username, email=email, role=role
        )

    user = _run(settings, run)
    text = (
        f"Created {user.username}, role {user.role.value}, without a password. "
        f"`taskriver user recover {user.username}` lets the user in once, to link a sign-in provider."
    )
    print_result(text, _facts(user), as_json=as_json)


@users.command(epilog=examples("taskriver user recover alice"))
def recover(username: Name, as_json: AsJSON = False) -> None:
    """Print a code with which a user can sign in once.

    It works without a password and without a sign-in provider, for ten minutes. The code gives all rights of the user.
    """
    settings = read_settings()

    async def run() -> CreatedRecovery:
        async with database_of(settings) as database:
            user = await user_of(database, username)
            return await create_recovery(database.unit_of_work(OPERATOR), user_id=user.id)

    created = asyncio.run(run())
    address = f"{settings.public_url or ''}{RECOVERY_PATH}"
    where = address if settings.public_url else f"{address} on the server"
    text = (
        f"{created.user.username} can sign in once, until {created.expires_at:%H:%M:%S} UTC, with this code:\n"
        f"{created.code}\nEnter it at {where}."
    )
    facts = {"code": created.code, "url": address, "expiresAt": created.expires_at.isoformat()}
    print_result(text, _facts(created.user) | facts, as_json=as_json)


@users.command(epilog=examples("taskriver user role alice moderator"))
def role(username: Name, role: NewRole, as_json: AsJSON = False) -> None:
    """Change the role of a user.

    It takes effect on running servers within a second.
    """

    async def run(database: Database) -> UserRow:
        user = await user_of(database, username)
        return await user_service.set_user_role(database.unit_of_work(OPERATOR), user_id=user.id, role=role)

    user = _run(read_settings(), run)
    print_result(f"{user.username} has the role {user.role.value}.", _facts(user), as_json=as_json)


@users.command()
def disable(username: Name, as_json: AsJSON = False) -> None:
    """Disable a user.

    All sessions of the user end within a second.
    """
    user = _set_active(username, is_active=False)
    print_result(f"{user.username} is disabled.", _facts(user), as_json=as_json)


@users.command()
def enable(username: Name, as_json: AsJSON = False) -> None:
    """Enable a user."""
    user = _set_active(username, is_active=True)
    print_result(f"{user.username} is enabled.", _facts(user), as_json=as_json)


TasksTo = Annotated[str | None, typer.Option("--tasks-to", help="The user who gets the personal tasks.")]
DeleteTasks = Annotated[bool, typer.Option("--delete-tasks", help="Delete the personal tasks.")]


@users.command(
    epilog=examples("taskriver user delete alice --tasks-to bob", "taskriver user delete alice --delete-tasks")
)
def delete(
    username: Name, tasks_to: TasksTo = None, delete_tasks: DeleteTasks = False, as_json: AsJSON = False
) -> None:
    """Delete a user.

    It cannot be undone. All sessions and tokens of the user end within a second. Prints which personal data remain.
    """
    settings = read_settings()

    async def run() -> tuple[str, Deletion]:
        async with database_of(settings) as database:
            user = await user_of(database, username)
            successor = await user_of(database, tasks_to) if tasks_to is not None else None
            return user.username, await _delete(database, settings, user, successor, deletes_tasks=delete_tasks)

    name, deletion = asyncio.run(run())
    facts = {
        "uuid": str(deletion.user_id),
        "changedTasks": deletion.tasks,
        "remainingData": [
            {
                "place": each.place.value,
                "description": each.description,
                "until": each.until.isoformat() if each.until is not None else None,
            }
            for each in deletion.remaining
        ],
    }
    lines = [f"Deleted {name}. Tasks changed: {deletion.tasks:,}. These personal data remain:"]
    for each in deletion.remaining:
        until = f" Until {each.until:%Y-%m-%d}." if each.until is not None else ""
        lines.append(f"  {each.place.value}: {each.description}{until}")
    print_result("\n".join(lines), facts, as_json=as_json)


async def _delete(
    database: Database, settings: Settings, user: UserRow, successor: UserRow | None, *, deletes_tasks: bool
) -> Deletion:
    """Delete the user, and wait until all tasks are changed, by this process or another one."""
    uow = database.unit_of_work(OPERATOR)
    deletion = await delete_user(
        uow,
        user_id=user.id,
        retention=settings.retention,
        tasks_to=successor.id if successor is not None else None,
        deletes_tasks=deletes_tasks,
    )
    tasks, is_complete = deletion.tasks, deletion.is_complete
    while not is_complete:
        more, is_complete = await continue_deletion(uow, user_id=user.id)
        tasks += more
        await asyncio.sleep(0 if is_complete else _PAUSE_SECONDS)
    return replace(deletion, tasks=tasks, is_complete=True)


def _facts(user: UserRow) -> dict[str, object]:
    return {
        "uuid": str(user.id),
        "username": user.username,
        "email": user.email,
        "role": user.role.value,
        "isActive": user.is_active,
    }


def _set_active(username: str, *, is_active: bool) -> UserRow:
    async def run(database: Database) -> UserRow:
        user = await user_of(database, username)
        return await user_service.set_user_active(database.unit_of_work(OPERATOR), user_id=user.id, is_active=is_active)

    return _run(read_settings(), run)


def _run(settings: Settings, work: Callable[[Database], Awaitable[UserRow]]) -> UserRow:
    async def run() -> UserRow:
        async with database_of(settings) as database:
            return await work(database)

    return asyncio.run(run())


def _from_stdin() -> str:
    # Bytes that are not UTF-8 become lone surrogates. The rules for passwords refuse them with a clear message.
    return sys.stdin.buffer.readline().decode(errors="surrogateescape").rstrip("\r\n")


def _ask_password() -> str:
    if not sys.stdin.isatty():
        raise CommandError("There is no terminal to ask for the password: use --password-stdin.")
    # With this handler Ctrl-C raises an exception, so that the prompt switches the terminal's echo on again.
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    signal.signal(signal.SIGINT, former)
    return password
