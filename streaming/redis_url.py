"""Reads the URL of Redis: one server, a Unix socket, or Sentinels."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

REDIS_PORT: Final = 6379
SENTINEL_PORT: Final = 26379

Address = tuple[str, int]
"""Host and port."""

_SCHEMES: Final = {
    "redis": (False, False),
    "rediss": (True, False),
    "redis+sentinel": (False, True),
    "rediss+sentinel": (True, True),
    "unix": (False, False),
}
"""Whether a scheme uses TLS, and whether it names Sentinels."""

_PARTS: Final = re.compile(r"(?P<server>[^/?#]*)(?:/(?P<path>[^?#]*))?(?:\?(?P<query>[^#]*))?", re.DOTALL)
_PORT: Final = re.compile(r"[0-9]{1,5}")
_ENCODE: Final = "Percent-encode special characters in the user and the password: @ is %40, / is %2F, # is %23"
_FORMS: Final = (
    "It must look like redis://user:password@host:6379/0, rediss://… (TLS), or "
    "redis+sentinel://user:password@host:26379,host:26379/service"
)


class WrongRedisURL(ValueError):
    """The URL is invalid. The message says what to do, and contains no part of the URL except names of parameters."""


@dataclass(frozen=True, slots=True)
class TLSOptions:
    """How to check the server's certificate, and which certificate to present. Names are those of redis-py."""

    ssl_ca_certs: str | None = None
    ssl_certfile: str | None = None
    ssl_keyfile: str | None = None
    ssl_check_hostname: bool = True
    ssl_cert_reqs: str = "required"


@dataclass(frozen=True, slots=True)
class RedisTarget:
    """The parts of the URL.

    With *service*, *addresses* are those of Sentinels, which know the master of this service. *tls* then applies to the
    Sentinels, too.
    """

    addresses: tuple[Address, ...] = ()
    socket_path: str | None = None
    service: str | None = None
    database: int = 0
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    sentinel_username: str | None = field(default=None, repr=False)
    sentinel_password: str | None = field(default=None, repr=False)
    tls: TLSOptions | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    """Other options of redis-py, by name."""


def read_redis_url(url: str) -> RedisTarget:
    """The parts of *url*.

    Raises:
        WrongRedisURL: it is invalid.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() not in _SCHEMES:
        raise WrongRedisURL(_FORMS)
    has_tls, has_sentinels = _SCHEMES[scheme.lower()]
    parts = _PARTS.fullmatch(rest)
    if parts is None or "@" in (parts["path"] or ""):
        raise WrongRedisURL(_ENCODE)
    user, _, hosts = parts["server"].rpartition("@")
    username, _, password = user.partition(":")
    query = _Query(parts["query"] or "")
    tls = query.read_tls(has_tls=has_tls)
    common: dict[str, Any] = {
        "username": unquote(username) or None,
        "password": unquote(password) or None,
        "tls": tls,
        "options": query.read_options(),
    }
    path = unquote(parts["path"] or "")
    if scheme.lower() == "unix":
        target = RedisTarget(socket_path=_socket_path(path), database=query.database(""), **common)
    elif has_sentinels:
        target = _sentinel_target(hosts, path, query, common)
    else:
        target = RedisTarget(_addresses(hosts, REDIS_PORT, most=1), database=query.database(path), **common)
    query.check_empty()
    return target


def _sentinel_target(hosts: str, path: str, query: "_Query", common: dict[str, Any]) -> RedisTarget:
    service, _, database = path.partition("/")
    if not service:
        raise WrongRedisURL(
            "The path must be the service name of the Sentinels, as in redis+sentinel://host:26379/service"
        )
    return RedisTarget(
        _addresses(hosts, SENTINEL_PORT),
        service=service,
        database=query.database(database),
        sentinel_username=query.pop("sentinel_username"),
        sentinel_password=query.pop("sentinel_password"),
        **common,
    )


def _socket_path(path: str) -> str:
    if not path:
        raise WrongRedisURL("The path must be that of a socket, as in unix:///run/valkey/valkey.sock")
    return f"/{path}"


def _addresses(hosts: str, default_port: int, most: int | None = None) -> tuple[Address, ...]:
    found = tuple(_address(host, default_port) for host in hosts.split(","))
    if most is not None and len(found) > most:
        raise WrongRedisURL("Several hosts need Sentinels, as in redis+sentinel://host:26379,host:26379/service")
    return found


def _address(text: str, default_port: int) -> Address:
    """Host and port; an IPv6 address is in brackets."""
    host, separator, port = text.rpartition(":")
    if not separator or text.endswith("]"):
        host, port = text, ""
    host = unquote(host.removeprefix("[").removesuffix("]")) if host.startswith("[") else unquote(host)
    if not host:
        raise WrongRedisURL(f"A host is missing. {_FORMS}")
    if port and not (_PORT.fullmatch(port) and 0 < int(port) < 65_536):
        raise WrongRedisURL(f"A port must be a number from 1 to 65535. {_ENCODE}")
    return host, int(port or default_port)


class _Query:
    """The parameters that are not read yet."""

    def __init__(self, text: str) -> None:
        self._values: dict[str, str] = {}
        for part in filter(None, text.split("&")):
            name, _, value = part.partition("=")
            self._values[name] = unquote(value)

    def pop(self, name: str) -> str | None:
        """The value, or None if it is missing or empty."""
        return self._values.pop(name, None) or None

    def database(self, path: str) -> int:
        """The number of the database, in the path or as `db`."""
        number = self.pop("db") or path.removesuffix("/") or "0"
        if not re.fullmatch(r"[0-9]{1,5}", number):
            raise WrongRedisURL(f"The database must be a number, such as 0. {_ENCODE}")
        return int(number)

    def read_tls(self, *, has_tls: bool) -> TLSOptions | None:
        """The options for TLS; None without TLS."""
        if not has_tls:
            if any(name.startswith("ssl_") for name in self._values):
                raise WrongRedisURL("Parameters that begin with ssl_ need TLS: use rediss:// or rediss+sentinel://")
            return None
        values: dict[str, Any] = {}
        for name in ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile"):
            values[name] = self.pop(name)
        if (text := self.pop("ssl_check_hostname")) is not None:
            values["ssl_check_hostname"] = _boolean("ssl_check_hostname", text)
        if (text := self.pop("ssl_cert_reqs")) is not None:
            values["ssl_cert_reqs"] = _cert_reqs(text)
        if values["ssl_keyfile"] and not values["ssl_certfile"]:
            raise WrongRedisURL("ssl_keyfile needs ssl_certfile, the client certificate")
        return TLSOptions(**values)

    def read_options(self) -> dict[str, Any]:
        """Other options that a deployment may need."""
        found = {}
        for name, read in _OPTIONS.items():
            if (text := self.pop(name)) is not None:
                found[name] = read(name, text)
        return found

    def check_empty(self) -> None:
        """Refuse parameters that have no meaning."""
        if self._values:
            names = ", ".join(re.sub(r"\W", "?", name)[:40] for name in sorted(self._values))
            raise WrongRedisURL(f"Unknown parameters: {names}. docs/deployment.md lists those that exist")


def _boolean(name: str, text: str) -> bool:
    if text.lower() in ("1", "on", "t", "true", "y", "yes"):
        return True
    if text.lower() in ("0", "off", "f", "false", "n", "no"):
        return False
    raise WrongRedisURL(f"{name} must be true or false")


def _number(name: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text):
        raise WrongRedisURL(f"{name} must be a number of seconds")
    return int(text)


def _cert_reqs(text: str) -> str:
    """The value; Celery writes CERT_NONE instead of none."""
    value = text.lower().removeprefix("cert_")
    if value not in ("none", "optional", "required"):
        raise WrongRedisURL("ssl_cert_reqs must be required, optional or none")
    return value


_OPTIONS: Final[dict[str, Callable[[str, str], Any]]] = {
    "client_name": lambda name, text: text,
    "health_check_interval": _number,
    "socket_keepalive": _boolean,
}
