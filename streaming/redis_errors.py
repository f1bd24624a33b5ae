"""Commands that Redis refuses although it is reachable."""

import logging
from itertools import chain
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
_PERMISSION: Final = "Give the user in REDIS_URL the permissions that `taskriver doctor` prints."
_ADVICE: Final[tuple[tuple[type[Exception], str], ...]] = (
    (UnknownService, "Correct the service name, sentinel_username and sentinel_password in REDIS_URL."),
    (NoPermissionError, _PERMISSION),
    (AuthenticationError, "Correct the user and the password in REDIS_URL."),
    (ReadOnlyError, _REPLICA),
    (MasterDownError, _REPLICA),
    (OutOfMemoryError, "Its memory is full: raise maxmemory, or set maxmemory-policy to volatile-ttl."),
    (BusyLoadingError, "It loads its data, and can be used afterwards."),
)
_ADVICE_BY_TEXT: Final[tuple[tuple[str, str], ...]] = (
    # redis-py has no classes for these.
    ("MISCONF", 'It cannot store its data: free its disk, or set save "" (Taskriver needs no stored data).'),
    ("NOREPLICAS", "Too few replicas are connected: start them, or lower min-replicas-to-write."),
    # In scripts: Valkey, and Redis 7.
    ("ACL failure in script", _PERMISSION),
    ("The user executing the script can't run this command", _PERMISSION),
)
_OTHER: Final = "Correct this in Redis."


def is_refusal(error: BaseException) -> bool:
    """Whether Redis answered with an error. Then it is reachable, and waiting for it may not help."""
    return isinstance(error, ResponseError | AuthenticationError | BusyLoadingError)


def advice(error: BaseException) -> str:
    """What an operator should do about a refusal."""
    by_kind = (remedy for kind, remedy in _ADVICE if isinstance(error, kind))
    by_text = (remedy for text, remedy in _ADVICE_BY_TEXT if text in str(error))
    return next(chain(by_kind, by_text), _OTHER)


def is_permission_missing(error: BaseException) -> bool:
    """Whether the user in REDIS_URL lacks a permission, of a command or in a script."""
    return is_refusal(error) and advice(error) == _PERMISSION


def describe(error: BaseException) -> str:
    """The message of Redis and the advice, as sentences."""
    return f"{str(error).rstrip('.')}. {advice(error)}"


class RedisErrors:
    """The commands that Redis refuses at the moment. Each reason is logged once, until the command works again."""

    def __init__(self) -> None:
        self._refused: dict[str, str] = {}
        """The reasons by command."""

    def __bool__(self) -> bool:
        return bool(self._refused)

    def record_failure(self, command: str, error: Exception) -> None:
        """Record that a command failed. It counts as refused if Redis answered with an error."""
        if command in self._refused or not is_refusal(error):
            return
        reason = describe(error)
        if reason not in self._refused.values():
            _log.warning("Redis refuses %s; events arrive by polling: %s", command, reason)
        self._refused[command] = reason

    def record_success(self, command: str) -> None:
        """Record that a command worked."""
        if self._refused.pop(command, None) is not None:
            _log.info("Redis accepts %s again", command)
