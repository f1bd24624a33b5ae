"""What a command could not do, in one line for the person at the terminal, and the exit codes of all of them.

CommandError
└── WrongSetting
"""

from typing import Final

from server.errors import CommandError
from verification.client.failures import Failed, Refused

REFUSED: Final = 1
"""It was not done, or what was looked at is not as it must be."""
MISUSED: Final = 2
"""The command line or the settings are wrong; nothing was begun."""
LOOK: Final = 3
"""It was done, and something in what it said wants to be looked at."""


def without_help(url: str, failed: Failed | TimeoutError) -> CommandError:
    """What to say of a server that refused, or did not answer."""
    if isinstance(failed, Refused):
        return CommandError(f"{url}: {failed}")
    return CommandError(f"{url} does not answer ({str(failed) or 'not in time'}): does a server run there?")
