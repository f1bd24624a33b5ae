"""`taskriver token`."""

import asyncio
from typing import Annotated, Final

import typer

from cli.output import AsJSON, answer, examples, say
from cli.sign_in import DEFAULT_URL, TOKEN, PasswordFromStdin, ServerURL, Username, ask_who, endpoint
from cli.token import store
from cli.token.sessions import Sessions
from cli.token.store import StoredSession
from server.errors import CommandError

Header = Annotated[bool, typer.Option("--header", help="Print it as a header, for curl.")]
Export = Annotated[bool, typer.Option("--export", help=f"Print it as {TOKEN}, for a shell and our own commands.")]
Forget = Annotated[bool, typer.Option("--forget", help="Sign out, and keep it no longer.")]

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
    sessions = Sessions(endpoint(url))
    if forget:
        return _forget(sessions, username)
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
    answer(form.format(found.access_token), facts, as_json=as_json)
    return None


def _known(sessions: Sessions, username: str | None) -> StoredSession | None:
    """The stored session with a token that the server accepts; None if there is none, or the session has ended."""
    with store.opened() as kept:
        stored = kept.find(sessions.api.url, username)
        valid = None if stored is None else asyncio.run(sessions.validate(stored))
        if valid is not None:
            kept.keep(valid)
        return valid


def _new(sessions: Sessions, username: str | None, *, password_stdin: bool) -> StoredSession:
    with store.opened() as kept:
        before = kept.find(sessions.api.url, username)
    # Not while the shelf is open: others want to read it while somebody types.
    known = username or (before.username if before is not None else None)
    name, password = ask_who(known, password_stdin=password_stdin)
    found = asyncio.run(sessions.sign_in(name, password))
    with store.opened() as kept:
        kept.keep(found)
    return found


def _forget(sessions: Sessions, username: str | None) -> None:
    with store.opened() as kept:
        found = kept.find(sessions.api.url, username)
        if found is None:
            raise CommandError(f"No session at {sessions.api.url} is kept.")
        kept.forget(found)
    asyncio.run(sessions.end(found))
    say(f"{found.username} is signed out of {found.url}.")
