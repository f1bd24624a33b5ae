"""`taskriver token`."""

import asyncio
from typing import Annotated, Final

import typer

from cli.errors import CommandError
from cli.output import AsJSON, examples, print_result, say
from cli.sign_in import DEFAULT_URL, TOKEN, PasswordFromStdin, ServerURL, Username, endpoint, read_credentials
from cli.stored_sessions import store
from cli.stored_sessions.sessions import StoredSessions
from cli.stored_sessions.store import StoredSession

Header = Annotated[bool, typer.Option("--header", help="Print the token as a header, for curl.")]
Export = Annotated[bool, typer.Option("--export", help=f"Print a shell command that sets {TOKEN}.")]
Forget = Annotated[bool, typer.Option("--forget", help="Sign out, and remove the stored session.")]

EXAMPLES: Final = examples(
    "taskriver token --username alice",
    'curl -H "$(taskriver token --header)" http://127.0.0.1:8000/api/v1/tasks/',
    'eval "$(taskriver token https://tasks.example.org --export)"',
)


def token(
    url: ServerURL = DEFAULT_URL,
    username: Username = None,
    password_stdin: PasswordFromStdin = False,
    header: Header = False,
    export: Export = False,
    forget: Forget = False,
    as_json: AsJSON = False,
) -> None:
    """Print an access token; sign in once and stay signed in.

    The session is stored in ~/.config/taskriver/tokens.json, which only you can read, or in the file that
    TASKRIVER_TOKENS names. The server is asked whether the token is valid before it is printed. An expired token is
    renewed; you are asked for the password only when there is no valid session.
    """
    sessions = StoredSessions(endpoint(url))
    if forget:
        return sign_out(sessions, username)
    found = None if password_stdin else _known(sessions, username)
    if found is None:
        found = _new(sessions, username, password_stdin=password_stdin)
    form = "authorization: Bearer {}" if header else f"export {TOKEN}={{}}" if export else "{}"
    facts = {
        "accessToken": found.access_token,
        "expiresAt": found.expires_at.isoformat(),
        "username": found.username,
        "url": found.url,
    }
    print_result(form.format(found.access_token), facts, as_json=as_json)
    return None


def _known(sessions: StoredSessions, username: str | None) -> StoredSession | None:
    """The stored session with a token that the server accepts; None if there is none, or the session has ended."""
    with store.open_store() as opened:
        stored = opened.find(sessions.api.url, username)
        valid = None if stored is None else asyncio.run(sessions.validate(stored))
        if valid is not None:
            opened.save(valid)
        return valid


def _new(sessions: StoredSessions, username: str | None, *, password_stdin: bool) -> StoredSession:
    with store.open_store() as opened:
        before = opened.find(sessions.api.url, username)
    # The store is closed while the user types, so that other processes can read it.
    known = username or (before.username if before is not None else None)
    name, password = read_credentials(known, password_stdin=password_stdin)
    found = asyncio.run(sessions.sign_in(name, password))
    with store.open_store() as opened:
        opened.save(found)
    return found


def sign_out(sessions: StoredSessions, username: str | None) -> None:
    """End the stored session and remove it.

    Raises:
        CommandError: there is none, or the server does not answer.
    """
    with store.open_store() as opened:
        found = opened.find(sessions.api.url, username)
        if found is None:
            raise CommandError(f"There is no stored session at {sessions.api.url}.")
        opened.forget(found)
    asyncio.run(sessions.end(found))
    say(f"{found.username} is signed out at {found.url}.")
