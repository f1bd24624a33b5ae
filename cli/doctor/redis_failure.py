"""Explains why Redis cannot be used, and what to do."""

import ssl
from collections.abc import Iterator
from typing import Final

from redis.exceptions import AuthenticationError, BusyLoadingError
from redis.exceptions import TimeoutError as RedisTimeoutError

from streaming.redis_acl import SENTINEL_RULES, setuser_command
from streaming.redis_errors import advice, is_refusal
from streaming.sentinel import MasterNotFound, UnknownService

_CLOSED: Final = "Connection closed by server."
"""A message of redis-py, which has no class for it."""
_CORRECT_URL: Final = "Start it, or correct REDIS_URL."
_SENTINEL_PERMISSIONS: Final = f"Run in each Sentinel: {setuser_command('NAME', SENTINEL_RULES)}"


def explain(error: Exception, *, has_tls: bool) -> tuple[str, str]:
    """What is wrong, and what to do. *has_tls*: the URL asks for TLS."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLError):
            return _explain_tls(cause)
        if isinstance(cause, UnknownService):
            return str(cause), _SENTINEL_PERMISSIONS if "permissions" in str(cause) else advice(cause)
        if isinstance(cause, MasterNotFound):
            return "no Sentinel answers at REDIS_URL", "Start the Sentinels, or correct REDIS_URL."
    if isinstance(error, AuthenticationError):
        return "rejects the user or the password of REDIS_URL", "Correct REDIS_URL."
    if isinstance(error, BusyLoadingError) or is_refusal(error):
        return f"refuses commands: {error}", advice(error)
    return _explain_silence(error, has_tls=has_tls)


def _explain_silence(error: Exception, *, has_tls: bool) -> tuple[str, str]:
    """A server with TLS closes other connections, and one that requires client certificates those without them.

    A server without TLS waits for the end of what it takes for a command.
    """
    if str(error) == _CLOSED:
        hint = "set ssl_certfile and ssl_keyfile in REDIS_URL" if has_tls else "use rediss://"
        return "closes the connection", f"If it requires {'a client certificate' if has_tls else 'TLS'}, {hint}."
    if has_tls and isinstance(error, RedisTimeoutError):
        return "does not answer with TLS at REDIS_URL", f"{_CORRECT_URL} Without TLS it is redis://."
    return "does not answer at REDIS_URL", _CORRECT_URL


def _explain_tls(error: ssl.SSLError) -> tuple[str, str]:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate is refused: {error.verify_message}",
            "Set ssl_ca_certs in REDIS_URL to the file of the authority, and connect by a name in the certificate.",
        )
    return "does not accept TLS at REDIS_URL", "Use redis:// without TLS, or correct ssl_certfile."


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and those during which it was raised."""
    each: BaseException | None = error
    while each is not None:
        yield each
        each = each.__cause__ or each.__context__
