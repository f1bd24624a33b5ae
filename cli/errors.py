"""The exit codes of all commands, and the errors that end a command with one line of text."""

from typing import Final

from verification.client.failures import Failed, Refused

REFUSED: Final = 1
"""The command refused or failed, or a check failed."""
MISUSED: Final = 2
"""The command line or a setting is wrong; nothing was started."""
WARNING: Final = 3
"""The command is done, with warnings."""


class CommandError(Exception):
    """The message says what is wrong and what to do."""


def server_error(url: str, failed: Failed | TimeoutError) -> CommandError:
    """The error for a server that refused, or that did not answer."""
    if isinstance(failed, Refused):
        return CommandError(f"{url}: {failed}")
    reason = str(failed) or "timeout"
    return CommandError(f"{url} does not answer ({reason}): check the URL, and that the server is running.")
