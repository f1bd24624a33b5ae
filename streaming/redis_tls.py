"""TLS contexts for connections to Redis."""

import ssl
from functools import lru_cache
from pathlib import Path
from typing import Final

from streaming.redis_url import TLSOptions, WrongRedisURL

_MODES: Final = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}


def tls_context(options: TLSOptions) -> ssl.SSLContext:
    """The context for *options*. It is read again when a file has changed, so renewed certificates need no restart.

    Raises:
        WrongRedisURL: a file cannot be read, or contains no certificate.
    """
    stamps = tuple(
        _changed_at(name, getattr(options, name)) for name in ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
    )
    return _context(options, stamps)


def _changed_at(name: str, path: str | None) -> int:
    """When a file was changed, in nanoseconds since 1970."""
    if path is None:
        return 0
    try:
        return Path(path).stat().st_mtime_ns
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not a path"
        raise WrongRedisURL(f"The file of {name} cannot be read: {reason}") from None


@lru_cache(maxsize=4)
def _context(options: TLSOptions, stamps: tuple[int, ...]) -> ssl.SSLContext:
    # Reading the authorities of the system takes milliseconds, so connections share a context.
    try:
        context = ssl.create_default_context(cafile=options.ssl_ca_certs)
    except OSError:
        raise WrongRedisURL("The file of ssl_ca_certs must contain certificates in PEM format") from None
    context.check_hostname = options.ssl_check_hostname and options.ssl_cert_reqs != "none"
    context.verify_mode = _MODES[options.ssl_cert_reqs]
    if options.ssl_certfile is not None:
        _load_client_certificate(context, options)
    return context


def _load_client_certificate(context: ssl.SSLContext, options: TLSOptions) -> None:
    assert options.ssl_certfile is not None
    try:
        context.load_cert_chain(options.ssl_certfile, options.ssl_keyfile, password=_no_passphrase)
    except (OSError, ValueError):
        raise WrongRedisURL(
            "The files of ssl_certfile and ssl_keyfile must contain a certificate and its key, in PEM format and "
            "without a passphrase"
        ) from None


def _no_passphrase() -> str:
    """The answer for an encrypted key. Without it, OpenSSL would ask on the terminal."""
    raise ValueError("The key has a passphrase.")
