"""The commands of `taskriver`, and how errors become messages and exit codes.

A command's module is imported only when the command is called. This keeps the start fast: most commands need only a
part of the project, and shell completion needs none of it.
"""

import platform
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException
from typer.main import get_group

from cli.errors import MISUSED, REFUSED, CommandError
from cli.output import open_missing, silence_output
from domain.errors import DomainError
from domain.unknown_values import UnknownValue
from embedded import EmbeddedError
from server.errors import StartError, WrongSetting

COMMANDS: Final = {
    "dev": ("dev:dev", "Serve with demo data, on private PostgreSQL and Valkey."),
    "serve": ("serve:serve", "Serve the API."),
    "migrate": ("migrate:migrate", "Apply database migrations."),
    "doctor": ("doctor.command:doctor", "Check settings, database, Redis and migrations."),
    "user": ("user:users", "Create, change, recover and delete users."),
    "project": ("project:projects", "List and create projects, and manage their members."),
    "invitation": ("invitation:invitations", "Invite people, list and revoke invitations."),
    "service-account": ("service_account:service_accounts", "Create and list service accounts."),
    "access-token": ("access_token:access_tokens", "List, create and revoke access tokens of a user."),
    "documents": ("documents:documents", "Add, list and remove the trusted documents of clients."),
    "login": ("login:login", "Sign in through a browser, and stay signed in."),
    "logout": ("logout:logout", "Sign out, and remove the stored session."),
    "token": ("token:token", "Print an access token; sign in once and stay signed in."),
    "watch": ("watch:watch", "Print changes of tasks as they happen."),
    "import": ("transfer.import_tasks:import_tasks", "Create tasks from JSON Lines or CSV."),
    "export": ("transfer.export_tasks:export_tasks", "Export all tasks that a user may see, as one snapshot."),
    "seed": ("seed:seed", "Create test data: users and their tasks."),
    "verify-stream": ("verify_stream:verify_stream", "Verify that the event stream of a server loses nothing."),
    "compat": ("compat:compat", "Compare servers with the older REST API."),
    "export-schema": ("export_schema:export_schema", "Print the GraphQL schema (SDL)."),
    "audit": ("audit:audit", "Print the audit log."),
    "stream": ("stream:stream", "Manage the event stream."),
    "cleanup": ("cleanup:cleanup", "Remove expired sessions, and what is kept no longer."),
}
"""By name: the module below this package with the function, and the first line of the help."""


class Commands(TyperGroup):
    """Lists the commands by name, and imports only the one that is called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Import the command that is called."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, load(name or ""), rest


def load(name: str) -> Any:
    """The command with this name, with all its options."""
    module, _, attribute = COMMANDS[name][0].partition(":")
    home = import_module(f"cli.{module}")
    holder, found = typer.Typer(rich_markup_mode=None), getattr(home, attribute)
    if isinstance(found, typer.Typer):
        holder.add_typer(found, name=name)
    else:
        holder.command(name, epilog=getattr(home, "EXAMPLES", None))(found)
    return get_group(holder).commands[name]


def _app() -> typer.Typer:
    app = typer.Typer(
        cls=Commands,
        name="taskriver",
        help="A task backend with a GraphQL API whose live stream loses nothing.",
        epilog="Exit codes: 0 success, 1 refused or failed, 2 wrong usage, 3 done with warnings. See docs/cli.md.",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(_options)
    for name, (_, line) in COMMANDS.items():
        app.command(name, help=line)(_placeholder)
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"taskriver {version('taskriver')} (Python {platform.python_version()})")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A task backend with a GraphQL API whose live stream loses nothing."""


def _placeholder() -> None:
    """Stands in the list of commands until the command itself is imported."""


app: Final = _app()


def main() -> None:
    """Run a command. An error is one line on stderr, with exit code 1 (refused or failed) or 2 (wrong usage)."""
    open_missing()
    try:
        code = app(prog_name="taskriver", standalone_mode=False)
        sys.stdout.flush()
        sys.exit(code)
    except TyperException as error:
        _fail(_misuse(error), MISUSED)
    except typer.Abort:
        _fail("Aborted; nothing was done.", REFUSED)
    except WrongSetting as error:
        _fail(error, MISUSED)
    except (DomainError, UnknownValue, EmbeddedError, CommandError, StartError) as error:
        _fail(error, REFUSED)
    except BrokenPipeError:  # the reader of the pipe has ended, for example `head`
        silence_output()
        sys.exit(REFUSED)
    except OSError as error:
        silence_output()
        _fail(_system_error(error), REFUSED)


def _misuse(error: Any) -> str:
    """The error in the command line, and the help that explains the correct usage."""
    message = error.format_message().replace("Value error, ", "")
    if "\n" in message:  # the help of a command that needs a subcommand
        error.show()
        sys.exit(MISUSED)
    end = "" if message.endswith((".", "?")) else "."
    context = getattr(error, "ctx", None)
    return f"{message}{end} See `{context.command_path if context else 'taskriver'} --help`."


def _system_error(error: OSError) -> str:
    """The operating system's error; a file without a name is standard output."""
    return f"{error.filename or 'Standard output'}: {error.strerror or error}."


def _fail(error: object, code: int) -> None:
    print(f"taskriver: {error}", file=sys.stderr)
    sys.exit(code)
