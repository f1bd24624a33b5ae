"""`taskriver logout`."""

from typing import Final

from cli.output import examples
from cli.sign_in import DEFAULT_URL, ServerURL, Username, endpoint
from cli.stored_sessions.sessions import StoredSessions
from cli.token import sign_out

EXAMPLES: Final = examples("taskriver logout https://tasks.example.org")


def logout(url: ServerURL = DEFAULT_URL, username: Username = None) -> None:
    """Sign out, and remove the stored session."""
    sign_out(StoredSessions(endpoint(url)), username)
