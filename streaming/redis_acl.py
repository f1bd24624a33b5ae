"""The permissions that Taskriver needs in Redis."""

from typing import Final

CHANNEL: Final = "taskriver:events"
"""Processes that share a database share a channel; others must not."""

PROBE_KEY: Final = "throttle:writable"
"""A key with the prefix of the rate limits, which the permissions allow. It expires by itself."""

RULES: Final = (
    "-@all +ping +select +client|setname +publish +subscribe +evalsha +script|load "
    "+get +set +del +incr +incrby +pttl +pexpire +time +zadd +zrem +zcard +zremrangebyscore "
    f"~throttle:* &{CHANNEL}"
)
"""All that a process and `taskriver doctor` do, as rules of `ACL SETUSER`."""

SENTINEL_RULES: Final = "-@all +ping +client|setname +sentinel|master"
"""The same for the user of the Sentinels."""


def setuser_command(user: str, rules: str = RULES) -> str:
    """The command that gives a user these permissions, and no others."""
    return f"ACL SETUSER {user} on >PASSWORD resetkeys resetchannels {rules}"
