"""Signing in through a browser: PKCE with a redirect to the loopback interface (RFC 7636, RFC 8252)."""

import asyncio
import os
import platform
import secrets
import sys
import webbrowser
from typing import Final
from urllib.parse import urlencode, urlsplit

from cli.loopback import listening
from cli.stored_sessions.sessions import StoredSessions
from cli.stored_sessions.store import StoredSession
from domain.sign_in_code import MAX_CLIENT_NAME, challenge_of
from domain.text import without_control_characters

PAGE: Final = "/account/cli"
_DISPLAYS: Final = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")


def sign_in_through_browser(sessions: StoredSessions, *, opens: bool, port: int) -> StoredSession:
    """The session of the user who confirms it in a browser. The link is printed on standard error.

    With *opens* the browser of this machine is opened, if there is one.

    Raises:
        CommandError: the user refused, nobody confirmed it in time, or the server refused the code.
    """
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(32)
    challenge = challenge_of(verifier)
    with listening(state, port=port) as listener:
        link = link_of(sessions.api.url, challenge=challenge, state=state, port=listener.port)
        _print(link, challenge)
        if opens and _has_browser():
            webbrowser.open(link)
        code = listener.code()
        return asyncio.run(sessions.exchange(code, verifier, listener.port))


def link_of(url: str, *, challenge: str, state: str, port: int) -> str:
    """The page that asks the user; *url* is the GraphQL endpoint."""
    parts = urlsplit(url)
    values = {"port": port, "challenge": challenge, "state": state, "client": client_name()}
    return f"{parts.scheme}://{parts.netloc}{parts.path.removesuffix('/graphql')}{PAGE}?{urlencode(values)}"


def client_name() -> str:
    """What the page shows: the command and the machine."""
    return without_control_characters(f"taskriver on {platform.node() or 'an unknown machine'}")[:MAX_CLIENT_NAME]


def shown_code(challenge: str) -> str:
    """What the terminal and the page both show, so that the user can compare them."""
    return f"{challenge[:4]} {challenge[4:8]}"


def _print(link: str, challenge: str) -> None:
    text = f"Open this page in a browser on this machine. It must show the code {shown_code(challenge)}:\n{link}"
    print(text, file=sys.stderr, flush=True)


def _has_browser() -> bool:
    return sys.platform == "darwin" or any(os.environ.get(name) for name in _DISPLAYS)
