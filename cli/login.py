"""`taskriver login`."""

import asyncio
import os
from dataclasses import replace
from typing import Annotated, Final

import typer

from cli.browser_sign_in import client_name, sign_in_through_browser
from cli.errors import CommandError, server_error
from cli.output import AsJSON, examples, print_result
from cli.sign_in import DEFAULT_URL, TOKEN, PasswordFromStdin, ServerURL, Username, endpoint, read_credentials
from cli.stored_sessions import store
from cli.stored_sessions.sessions import StoredSessions
from cli.stored_sessions.store import StoredSession
from verification.client.account import Account
from verification.client.failures import Failed
from verification.client.http import Api

OpensBrowser = Annotated[bool, typer.Option("--open/--no-open", help="Open the browser, or only print the link.")]
Port = Annotated[
    int, typer.Option(min=0, max=65_535, help="The port of 127.0.0.1 for the answer of the browser; 0 is a free one.")
]

EXAMPLES: Final = examples(
    "taskriver login https://tasks.example.org",
    "taskriver login --username alice",
    "taskriver login --no-open --port 8765",
)


def login(
    url: ServerURL = DEFAULT_URL,
    username: Username = None,
    password_stdin: PasswordFromStdin = False,
    opens: OpensBrowser = True,
    port: Port = 0,
    as_json: AsJSON = False,
) -> None:
    """Sign in through a browser, and stay signed in.

    With --username, it asks for the password instead.

    The session is stored in ~/.config/taskriver/tokens.json, which only you can read, or in the file that
    TASKRIVER_TOKENS names. If TASKRIVER_TOKEN has an access token, the command only checks it: commands use it before
    any stored session.
    """
    # The list of sessions shows the user on which machine this one is.
    sessions = StoredSessions(replace(endpoint(url), headers={"User-Agent": client_name()}))
    given = os.environ.get(TOKEN)
    if given and username is None and not password_stdin:
        name = asyncio.run(_owner(sessions.api, given))
        print_result(
            f"{TOKEN} has a valid token of {name} at {sessions.api.url}. Nothing is stored.",
            {"username": name, "url": sessions.api.url, "isStored": False},
            as_json=as_json,
        )
        return
    found = _new(sessions, username, password_stdin=password_stdin, opens=opens, port=port)
    with store.open_store() as opened:
        opened.save(found)
    print_result(
        f"You are signed in as {found.username} at {found.url}.",
        {"username": found.username, "url": found.url, "isStored": True},
        as_json=as_json,
    )


def _new(
    sessions: StoredSessions, username: str | None, *, password_stdin: bool, opens: bool, port: int
) -> StoredSession:
    if username is None and not password_stdin:
        return sign_in_through_browser(sessions, opens=opens, port=port)
    name, password = read_credentials(username, password_stdin=password_stdin)
    return asyncio.run(sessions.sign_in(name, password))


async def _owner(api: Api, token: str) -> str:
    try:
        return (await Account(lambda: api, token=token).me()).username
    except Failed as failed:
        if getattr(failed, "code", None) == "UNAUTHENTICATED":
            raise CommandError(
                f"{api.url} does not accept the token in {TOKEN}: unset it, or set another one."
            ) from None
        raise server_error(api.url, failed) from None
