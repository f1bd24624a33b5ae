"""How a command that asks a running server gets somebody to ask as."""

import os
import signal
import sys
from typing import Annotated, Final
from urllib.parse import urlsplit

import typer

from cli.token.stored_account import StoredAccount, has_kept
from server.errors import CommandError
from verification.client.account import Account
from verification.client.http import Api

TOKEN: Final = "TASKRIVER_TOKEN"  # noqa: S105 - the name of a variable
DEFAULT_URL: Final = "http://127.0.0.1:8000"

ServerURL = Annotated[str, typer.Argument(help="Where the server is, for example https://tasks.example.org.")]
Username = Annotated[str | None, typer.Option(metavar="NAME", help="Whom to sign in as.")]
PasswordFromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


def endpoint(url: str) -> Api:
    """The GraphQL endpoint of a server; its path may be left out.

    Raises:
        CommandError: it is no URL of a server.
    """
    parts = urlsplit(url if "//" in url else f"http://{url}")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise CommandError(f"{url} is no address of a server: it must look like {DEFAULT_URL}.")
    path = parts.path.rstrip("/") or "/graphql"
    return Api(f"{parts.scheme}://{parts.netloc}{path}")


def sign_in(api: Api, username: str | None, *, password_stdin: bool) -> Account:
    """Somebody to ask as: a name with a password from standard input or the terminal, else a token in TASKRIVER_TOKEN,
    else the session that `taskriver token` keeps.

    Raises:
        CommandError: there is none of them.
    """
    token = os.environ.get(TOKEN)
    if username is None and not password_stdin:
        if token:
            return Account(lambda: api, token=token)
        if has_kept(api):
            return StoredAccount(api)
    return Account(lambda: api, *ask_who(username, password_stdin=password_stdin))


def ask_who(username: str | None, *, password_stdin: bool) -> tuple[str, str]:
    """A name, asked for at the terminal unless it is given, and the password of it.

    Raises:
        CommandError: there is nobody to ask.
    """
    if username is None:
        if not sys.stdin.isatty():
            raise CommandError(
                f"Say as whom: --username NAME --password-stdin, a token in {TOKEN}, or `taskriver token` before."
            )
        username = typer.prompt("Username", err=True)
    return username, _password(password_stdin=password_stdin)


def _password(*, password_stdin: bool) -> str:
    if password_stdin:
        return sys.stdin.buffer.readline().decode(errors="surrogateescape").rstrip("\r\n")
    if not sys.stdin.isatty():
        raise CommandError("There is no terminal to ask for the password: use --password-stdin.")
    # Ctrl-C must pass through here, so that the terminal shows again what is typed.
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    password: str = typer.prompt("Password", hide_input=True, err=True)
    signal.signal(signal.SIGINT, former)
    return password
