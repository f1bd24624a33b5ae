"""What Redis answers with a refusal, for example because its access rules (ACL) do not allow a command."""

import logging
from typing import Final

from redis.exceptions import AuthenticationError, ResponseError

_log: Final = logging.getLogger("taskriver.bell")


class Refusals:
    """The commands that are refused at the moment; each refusal is logged once, until the command works again."""

    def __init__(self) -> None:
        self._refused: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._refused)

    def note(self, command: str, error: Exception) -> None:
        """A command failed; it was refused if the server answered and said so."""
        if command in self._refused or not isinstance(error, ResponseError | AuthenticationError):
            return
        self._refused.add(command)
        _log.warning(
            "Redis refuses %s, so that events arrive by polling: %s. Allow the user in REDIS_URL to publish and to "
            "subscribe on the channels taskriver:*.",
            command,
            error,
        )

    def works(self, command: str) -> None:
        """A command was carried out."""
        if command in self._refused:
            self._refused.remove(command)
            _log.info("Redis accepts %s again", command)
