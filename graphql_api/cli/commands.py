"""`taskriver`: its commands, and how they fail."""

import sys
from typing import Final

import typer

from domain.errors import DomainError
from embedded import EmbeddedError
from graphql_api.cli.cleanup import cleanup
from graphql_api.cli.dev import dev
from graphql_api.cli.doctor.command import EXAMPLES as CHECK_UPS
from graphql_api.cli.doctor.command import doctor
from graphql_api.cli.failure import MISUSED, REFUSED, CommandError, WrongSetting
from graphql_api.cli.migrate import migrate
from graphql_api.cli.schema import export_schema
from graphql_api.cli.seed import EXAMPLES as SEEDS
from graphql_api.cli.seed import seed
from graphql_api.cli.serve import serve
from graphql_api.cli.stream import stream
from graphql_api.cli.token.command import EXAMPLES as TOKENS
from graphql_api.cli.token.command import token
from graphql_api.cli.transfer.exporting import EXAMPLES as EXPORTS
from graphql_api.cli.transfer.exporting import export_tasks
from graphql_api.cli.transfer.importing import EXAMPLES as IMPORTS
from graphql_api.cli.transfer.importing import import_tasks
from graphql_api.cli.user import users
from graphql_api.cli.verify import verify_stream
from graphql_api.cli.watch import watch

app: Final = typer.Typer(
    name="taskriver",
    help="A task backend with a GraphQL API whose live stream loses nothing.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(dev)
app.command()(serve)
app.command()(migrate)
app.command(epilog=CHECK_UPS)(doctor)
app.add_typer(users, name="user")
app.add_typer(stream, name="stream")
app.command()(cleanup)
app.command(epilog=SEEDS)(seed)
app.command("import", epilog=IMPORTS)(import_tasks)
app.command("export", epilog=EXPORTS)(export_tasks)
app.command(epilog=TOKENS)(token)
app.command()(watch)
app.command("verify-stream")(verify_stream)
app.command("export-schema")(export_schema)


def main() -> None:
    """Run a command; what goes wrong is one line on stderr, and exit code 1 (refused) or 2 (misused)."""
    try:
        app(prog_name="taskriver")
    except WrongSetting as error:
        _fail(error, MISUSED)
    except (DomainError, EmbeddedError, CommandError) as error:
        _fail(error, REFUSED)


def _fail(error: Exception, code: int) -> None:
    print(f"taskriver: {error}", file=sys.stderr)
    sys.exit(code)
