"""Commands that Redis refuses although it is reachable."""

import logging
from typing import Final

from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    MasterDownError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
)

from streaming.sentinel import UnknownService

_log: Final = logging.getLogger("taskriver.bell")

_REPLICA: Final = "It is a replica: REDIS_URL must lead to the master, or name Sentinels."
_ADVICE: Final[tuple[tuple[type[Exception], str], ...]] = (
    (UnknownService, "Correct the service name, sentinel_username and sentinel_password in REDIS_URL."),
    (
        NoPermissionError,
        "Give the user in REDIS_URL the permissions that `taskriver doctor` prints.",
    ),
    (AuthenticationError, "Correct the user and the password in REDIS_URL."),
    (ReadOnlyError, _REPLICA),
    (MasterDownError, _REPLICA),
    (OutOfMemoryError, "Its memory is full: raise maxmemory, or set maxmemory-policy to volatile-ttl."),
    (BusyLoadingError, "It loads its data, and can be used afterwards."),
)
_OTHER: Final = "Correct this in Redis."


def is_refusal(error: BaseException) -> bool:
    """Whether Redis answered with an error. Then it is reachable, and waiting for it may not help."""
    return isinstance(error, ResponseError | AuthenticationError | BusyLoadingError)


def advice(error: BaseException) -> str:
    """What an operator should do about a refusal."""
    return next((text for kind, text in _ADVICE if isinstance(error, kind)), _OTHER)


class RedisErrors:
    """The commands that Redis refuses at the moment. Each is logged once, until it works again."""

    def __init__(self) -> None:
        self._refused: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._refused)

    def record_failure(self, command: str, error: Exception) -> None:
        """Record that a command failed. It counts as refused if Redis answered with an error."""
        if command in self._refused or not is_refusal(error):
            return
        self._refused.add(command)
        _log.warning("Redis refuses %s; events arrive by polling: %s. %s", command, error, advice(error))

    def record_success(self, command: str) -> None:
        """Record that a command worked."""
        if command in self._refused:
            self._refused.remove(command)
            _log.info("Redis accepts %s again", command)
