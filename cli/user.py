"""`taskriver user …`: how an operator manages users, with the same services as the API."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, Final

import typer

from cli.actor import user_of
from cli.connections import database_of, database_url_of
from cli.errors import CommandError
from cli.output import AsJSON, examples, print_result
from cli.settings import read_settings
from domain.actor import OPERATOR
from domain.user import Role
from graphql_api.auth.passwords import Passwords
from persistence.database import Database
from persistence.models import UserRow
from server.settings import Settings
from services import user as user_service

users: Final = typer.Typer(help="Create users, set roles, enable and disable users.", no_args_is_help=True)

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
    see arguments.
    """
    settings = read_settings()
    database_url_of(settings)  # fail before the question
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
