"""How a command signs in to a running server."""

import os
import signal
import sys
from typing import Annotated, Final
from urllib.parse import SplitResult, urlsplit

import typer

from cli.errors import CommandError
from cli.stored_sessions.stored_account import StoredAccount, has_stored_session
from verification.client.account import Account
from verification.client.http import Api

TOKEN: Final = "TASKRIVER_TOKEN"  # noqa: S105 - the name of a variable
DEFAULT_URL: Final = "http://127.0.0.1:8000"

ServerURL = Annotated[str, typer.Argument(help="The URL of the server, for example https://tasks.example.org.")]
Username = Annotated[str | None, typer.Option(metavar="NAME", help="The user to sign in as.")]
PasswordFromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


def endpoint(url: str) -> Api:
    """The GraphQL endpoint of a server; the default path is /graphql.

    Raises:
        CommandError: *url* is not the URL of a server.
    """
    parts = split_server_url(url)
    path = parts.path.rstrip("/") or "/graphql"
    return Api(f"{parts.scheme}://{parts.netloc}{path}")


def split_server_url(url: str) -> SplitResult:
    """The parts of a server's URL. The scheme may be missing before a host with a port, a dot or a path.

    Raises:
        CommandError: *url* is not the URL of a server.
    """
    has_scheme = "//" in url
    try:
        parts = urlsplit(url if has_scheme else f"http://{url}")
        host = (parts.hostname or "").encode("idna")
        is_url = parts.scheme in ("http", "https") and bool(host) and parts.port != 0
    except ValueError:  # a port, a name or an address that is not one
        is_url = False
    if not is_url or not (has_scheme or url == "localhost" or any(each in url for each in ".:/")):
        raise CommandError(f"{url[:100]!a} is not the URL of a server: use a URL such as {DEFAULT_URL}.")
    return parts


def sign_in(api: Api, username: str | None, *, password_stdin: bool) -> Account:
    """The account for the requests of a command: a username with a password from standard input or the terminal, else
    the token in TASKRIVER_TOKEN, else the session that `taskriver login` stores.

    Raises:
        CommandError: there is none of these.
    """
    token = os.environ.get(TOKEN)
    if username is None and not password_stdin:
        if token:
            return Account(lambda: api, token=token)
        if has_stored_session(api):
            return StoredAccount(api)
    return Account(lambda: api, *read_credentials(username, password_stdin=password_stdin))


def read_credentials(username: str | None, *, password_stdin: bool) -> tuple[str, str]:
    """A username and its password. They are read from the terminal unless they are given.

    Raises:
        CommandError: there is no terminal.
    """
    if username is None:
        if not sys.stdin.isatty():
            raise CommandError(
                f"You are not signed in: use --username NAME --password-stdin, set {TOKEN}, or run `taskriver login`."
            )
        username = typer.prompt("Username", err=True)
    return username, _password(password_stdin=password_stdin)


def _password(*, password_stdin: bool) -> str:
    if password_stdin:
        return sys.stdin.buffer.readline().decode(errors="surrogateescape").rstrip("\r\n")
    if not sys.stdin.isatty():
        raise CommandError("There is no terminal to ask for the password: use --password-stdin.")
    # With this handler Ctrl-C raises an exception, so that the prompt switches the terminal's echo on again.
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    password: str = typer.prompt("Password", hide_input=True, err=True)
    signal.signal(signal.SIGINT, former)
    return password
