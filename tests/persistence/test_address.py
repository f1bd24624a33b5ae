"""URLs of the database: one host, several hosts as libpq or SQLAlchemy write them, and what is refused."""

import re

import pytest
from asyncpg.connect_utils import _parse_connect_dsn_and_args as asyncpg_reads

from persistence.address import ANY, PRIMARY, database_url, dsn, hosts_of, shown_hosts, target_of

SECRET = "hunter2"


def read(url: str) -> tuple[list[tuple[str, int | None]], str | None, str | None]:
    """The hosts, the user and the database of a URL."""
    parsed = database_url(url)
    return [(host.name, host.port) for host in hosts_of(parsed)], parsed.username, parsed.database


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("postgresql+asyncpg://u:p@h:5433/d", [("h", 5433)]),
        ("postgres://u:p@h/d", [("h", None)]),
        ("postgresql://u:p@[::1]:5433/d", [("::1", 5433)]),
        ("postgresql://u:p@/d?host=/run/postgresql", [("/run/postgresql", 5432)]),
        ("postgresql://u:p@a:5432,b:5433/d", [("a", 5432), ("b", 5433)]),
        ("postgresql://u:p@a,b/d", [("a", 5432), ("b", 5432)]),
        ("postgresql://u:p@a,b:6432,[2001:db8::1]:5434/d", [("a", 5432), ("b", 6432), ("2001:db8::1", 5434)]),
        ("postgresql://u:p@/d?host=a:5432&host=b:5433", [("a", 5432), ("b", 5433)]),
        ("postgresql://u:p@/d?host=a,b&port=5432,5433", [("a", 5432), ("b", 5433)]),
        ("postgresql://u:p@/d?host=a,b&port=6432", [("a", 6432), ("b", 6432)]),
        ("postgresql://u:p@a:1,b:2/d?target_session_attrs=primary", [("a", 1), ("b", 2)]),
    ],
)
def test_hosts_are_read(url: str, hosts: list[tuple[str, int | None]]):
    """In their order. What was read can be read again."""
    assert read(url) == (hosts, "u", "d")
    assert read(database_url(url).render_as_string(hide_password=False)) == (hosts, "u", "d")


def test_special_characters_stay():
    """In the user and the password, beside several hosts."""
    parsed = database_url("postgresql+asyncpg://a%40b:p%2Cq%2F%3A@x:1,y:2/d")

    assert (parsed.username, parsed.password, shown_hosts(parsed)) == ("a@b", "p,q/:", "x:1, y:2")


def test_the_driver_gets_everything_but_the_hosts():
    """Other parameters, such as those of TLS, are passed on."""
    text = dsn(database_url("postgresql://u:p%40@a:1,b:2/d?sslmode=require&target_session_attrs=primary"))
    unset = ("passfile", "database", "ssl", "direct_tls", "server_settings", "target_session_attrs", "krbsrvname")
    others = ("gsslib", "service", "servicefile", "user", "password")
    nothing = dict.fromkeys((*unset, *others))
    addresses, parameters = asyncpg_reads(dsn=text, host="127.0.0.1", port=5432, **nothing)

    assert text == "postgresql://u:p%40@/d?sslmode=require"
    assert addresses == [("127.0.0.1", 5432)]
    assert (parameters.user, parameters.password, parameters.database) == ("u", "p@", "d")


def test_the_name_of_sqlalchemy_for_encryption_is_accepted():
    """The driver knows only libpq's."""
    assert dsn(database_url("postgresql://u:p@a:1,b/d?ssl=verify-full")) == "postgresql://u:p@/d?sslmode=verify-full"


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("postgresql://u@a/d", ANY),
        ("postgresql://u@a,b/d", PRIMARY),
        ("postgresql://u@a,b/d?target_session_attrs=read-write", "read-write"),
        ("postgresql://u@a,b/d?target_session_attrs=any", ANY),
        ("postgresql://u@a/d?target_session_attrs=primary", PRIMARY),
    ],
)
def test_the_primary_of_several_hosts_is_wanted(url: str, target: str):
    """Unless the URL says something else."""
    assert target_of(database_url(url)) == target


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (f"mysql://u:{SECRET}@a/d", "mysql is not supported"),
        (
            f"postgresql://u:{SECRET}@a,b/d?target_session_attrs=standby",
            "target_session_attrs must be any, primary or read-write: Taskriver writes",
        ),
        (
            f"postgresql://u:{SECRET}@a,b/d?target_session_attrs=prefer-standby",
            "target_session_attrs must be any, primary or read-write: Taskriver writes",
        ),
        (f"postgresql://u:{SECRET}@a,/d", "a host is not valid"),
        (f"postgresql://u:{SECRET}@a:x,b/d", "a host is not valid"),
        (f"postgresql://u:{SECRET}@a:99999,b/d", "a port is not between 1 and 65535"),
        (f"postgresql://u:{SECRET}@/d?host=a,b&port=1,2,3", "the numbers of hosts and ports differ"),
        (f"postgresql://u:{SECRET}@x@a/d", "not percent-encoded"),
        (f"postgresql://u:{SECRET}@a/d?connect_timeout=3", "the parameter connect_timeout is not supported"),
        (f"postgresql://u:{SECRET}@a,b/d?load_balance_hosts=random", "load_balance_hosts is not supported"),
        (f"postgresql://u:{SECRET}@a/d?ssl={SECRET}", "ssl must be one of disable, allow, prefer, require"),
    ],
)
def test_what_is_not_supported_is_refused(url: str, reason: str):
    """The text says why, without the URL."""
    with pytest.raises(ValueError, match=re.escape(reason)) as raised:
        database_url(url)
    assert SECRET not in str(raised.value)
