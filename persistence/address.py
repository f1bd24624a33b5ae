"""The URL of the database: one server, or several hosts of which one is the primary.

Several hosts are accepted as libpq has them (PostgreSQL, 34.1.1.3), `postgresql://user@h1:5432,h2:5432/db`, and as
SQLAlchemy has them, `?host=h1:5432&host=h2:5432` or `?host=h1,h2&port=5432,5433`.
"""

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy.engine import URL, make_url

DRIVER: Final = "postgresql+asyncpg"
PORT: Final = 5432
MAX_PORT: Final = 65_535
TARGET: Final = "target_session_attrs"
ANY: Final = "any"
PRIMARY: Final = "primary"
_TARGETS: Final = (ANY, PRIMARY, "read-write")
UNSUPPORTED: Final = frozenset(
    {
        "channel_binding",
        "connect_timeout",
        "fallback_application_name",
        "gssdelegation",
        "gssencmode",
        "hostaddr",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "load_balance_hosts",
        "replication",
        "require_auth",
        "requirepeer",
        "service",
        "sslcertmode",
        "sslcompression",
        "sslcrldir",
        "sslsni",
        "tcp_user_timeout",
    }
)
"""Parameters of libpq and of other clients that asyncpg would send to the server as its settings."""
SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_SEVERAL: Final = re.compile(
    r"(?P<before>[\w+]+://(?:[^:/]*(?::[^@]*)?@)?)(?P<hosts>[^/?@]*,[^/?]*)(?P<after>.*)", re.DOTALL
)
_HOST: Final = re.compile(r"(?:\[(?P<v6>[^\]]+)\]|(?P<name>[^:\[\]@]+))(?::(?P<port>\d{1,5}))?")


class WrongAddress(ValueError):
    """A URL is not supported. The text says why, and has no part of the URL but known names."""


class Host(NamedTuple):
    """A host, or the folder of a Unix socket; None for the usual port."""

    name: str
    port: int | None

    def __str__(self) -> str:
        return f"[{self.name}]:{self.port or PORT}" if ":" in self.name else f"{self.name}:{self.port or PORT}"


def database_url(url: str | URL) -> URL:
    """The URL with the driver asyncpg, and with several hosts in the form `?host=h1,h2&port=5432,5433`.

    Raises:
        WrongAddress: hosts or parameters are not supported.
        ValueError: it names another database. The text has no part of the URL but the name of the driver.
    """
    text, listed = _without_several(url) if isinstance(url, str) else (url, None)
    parsed = make_url(text)
    if parsed.drivername.split("+")[0] not in {"postgres", "postgresql"}:
        raise ValueError(f"{parsed.drivername} is not supported: Taskriver runs on PostgreSQL 15 or newer.")
    if _value(parsed, TARGET) not in {None, *_TARGETS}:
        raise WrongAddress(f"{TARGET} must be {', '.join(_TARGETS[:-1])} or {_TARGETS[-1]}: Taskriver writes")
    if wrong := sorted(UNSUPPORTED & parsed.query.keys()):
        raise WrongAddress(f"the parameter {wrong[0]} is not supported")
    hosts = tuple(map(_host, listed.split(","))) if listed is not None else hosts_of(parsed)
    if not all(0 < (host.port or PORT) <= MAX_PORT for host in hosts):
        raise WrongAddress(f"a port is not between 1 and {MAX_PORT}")
    return _with_sslmode(_with_hosts(parsed.set(drivername=DRIVER), hosts))


def hosts_of(url: URL) -> tuple[Host, ...]:
    """The hosts, in the order of the URL; empty if it names none, and the driver's defaults apply.

    Raises:
        WrongAddress: they are not valid.
    """
    named = url.query.get("host")
    if named is None:
        if url.host is not None and "@" in url.host:
            raise WrongAddress("a special character in the user or the password is not percent-encoded")
        return (Host(url.host, url.port),) if url.host else ()
    names = [part for each in _listed(named) for part in each.split(",")]
    ports = [part for each in _listed(url.query.get("port", ())) for part in each.split(",")]
    if not ports:
        return tuple(map(_host, names))
    if len(ports) not in {1, len(names)} or not all(port.isdecimal() for port in ports):
        raise WrongAddress("the numbers of hosts and ports differ, or a port is not a number")
    return tuple(Host(name, int(port)) for name, port in zip(names, ports * (len(names) // len(ports)), strict=True))


def shown_hosts(url: URL) -> str:
    """The hosts with their ports, for messages."""
    return ", ".join(map(str, hosts_of(url) or (Host("localhost", None),)))


def target_of(url: URL) -> str:
    """Which of the hosts is wanted. With several hosts it is the primary, unless the URL has another value."""
    return _value(url, TARGET) or (PRIMARY if len(hosts_of(url)) > 1 else ANY)


def dsn(url: URL) -> str:
    """The URL in the form that asyncpg reads, without its hosts."""
    bare = url.difference_update_query(["host", "port", TARGET]).set(drivername="postgresql")
    return URL.create(**{**bare._asdict(), "host": None, "port": None}).render_as_string(hide_password=False)


def _without_several(url: str) -> tuple[str, str | None]:
    """The text without a list of hosts, and this list; None if there is no list."""
    found = _SEVERAL.fullmatch(url)
    return (found["before"] + found["after"], found["hosts"]) if found is not None else (url, None)


def _with_hosts(url: URL, hosts: Sequence[Host]) -> URL:
    bare: dict[str, Any] = {**url.difference_update_query(["host", "port"])._asdict(), "host": None, "port": None}
    if len(hosts) == 1 and not hosts[0].name.startswith("/"):
        return URL.create(**{**bare, "host": hosts[0].name, "port": hosts[0].port})
    made = URL.create(**bare)
    if not hosts:
        return made
    names, ports = ",".join(host.name for host in hosts), ",".join(str(host.port or PORT) for host in hosts)
    return made.update_query_dict({"host": names, "port": ports})


def _with_sslmode(url: URL) -> URL:
    """The URL with `sslmode` in place of SQLAlchemy's name for it."""
    mode = _value(url, "ssl")
    if mode is None:
        return url
    if mode not in SSL_MODES:
        raise WrongAddress(f"ssl must be one of {', '.join(SSL_MODES)}")
    return url.difference_update_query(["ssl"]).update_query_dict({"sslmode": mode})


def _host(text: str) -> Host:
    if text.startswith("/"):
        return Host(text, None)
    found = _HOST.fullmatch(text)
    if found is None:
        raise WrongAddress("a host is not valid")
    return Host(found["v6"] or found["name"], int(found["port"]) if found["port"] else None)


def _listed(value: str | Sequence[str]) -> Sequence[str]:
    return (value,) if isinstance(value, str) else value


def _value(url: URL, name: str) -> str | None:
    """A parameter of the query; the last one counts, as for libpq."""
    values = _listed(url.query.get(name, ()))
    return values[-1] if values else None
