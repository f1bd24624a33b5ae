"""`taskriver`: its commands, and how they fail."""

import sys
from typing import Final

import typer
from pydantic import ValidationError

from domain.errors import DomainError
from embedded import EmbeddedError
from graphql_api.cli.cleanup import cleanup
from graphql_api.cli.dev import dev
from graphql_api.cli.failure import CommandError
from graphql_api.cli.migrate import migrate
from graphql_api.cli.schema import export_schema
from graphql_api.cli.serve import serve
from graphql_api.cli.user import users

REFUSED: Final = 1
MISUSED: Final = 2

app: Final = typer.Typer(
    name="taskriver",
    help="Taskriver: a task backend with a GraphQL API whose live stream loses nothing.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(dev)
app.command()(serve)
app.command()(migrate)
app.command()(cleanup)
app.command("export-schema")(export_schema)
app.add_typer(users, name="user")


def main() -> None:
    """Run a command; what goes wrong is one line on stderr, and exit code 1 (refused) or 2 (misused)."""
    try:
        app()
    except (DomainError, EmbeddedError, CommandError) as error:
        _fail(str(error), REFUSED)
    except ValidationError as error:
        _fail(_settings_problems(error), MISUSED)


def _settings_problems(error: ValidationError) -> str:
    """Which setting is wrong and why; never its value, which may be a secret."""
    problems = []
    for each in error.errors(include_url=False, include_input=False, include_context=False):
        name = "_".join(str(part) for part in each["loc"][:1]).upper()
        problems.append(f"{name}: {each['msg']}" if name else each["msg"].removeprefix("Value error, "))
    return "the settings are wrong: " + "; ".join(problems)


def _fail(message: str, code: int) -> None:
    print(f"taskriver: {message}", file=sys.stderr)
    sys.exit(code)
