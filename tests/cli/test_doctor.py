"""`taskriver doctor`: its checks, and their results for faults."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.doctor.pooler import limits
from persistence.database import Database
from persistence.diagnostics import OpenSnapshot, ServerStatus, Standbys, TransactionIds
from persistence.pgbouncer import PgBouncer
from persistence.pooler import Pooler
from server.settings import Settings
from services.task_creation import create_task
from tests.cli.conftest import Run
from tests.support.builders import Builders
from tests.support.ports import closed_port

ALL = [
    "settings",
    "secrets",
    "cookies",
    "database",
    "sessions",
    "migrations",
    "connections",
    "clock",
    "replication",
    "oldest snapshot",
    "transaction ids",
    "event lag",
    "retention",
    "stream cursors",
    "redis",
    "redis permissions",
    "redis memory",
    "disk",
]
SECRET = "hunter2-hunter2-hunter2-hunter2-hunter2"


@pytest.fixture
def statement(ask: Any) -> Any:
    """Execute a statement directly."""

    async def execute(database: Database, text: str, values: Any) -> None:
        async with database.engine.begin() as connection:
            await connection.exec_driver_sql(text, values)

    return lambda text, *values: ask(lambda database: execute(database, text, values))


def test_healthy_servers_are_ok(look: Any, run: Run, database_url: str, redis_url: str):
    """Every check is ok, without advice."""
    code, found = look()
    result = run("doctor", DATABASE_URL=database_url, REDIS_URL=redis_url)

    assert (code, list(found)) == (0, ALL)
    assert {state for state, _ in found.values()} == {"ok"}
    assert result.code == 0
    assert result.out.splitlines()[0].split() == ["what", "state", "found", "what", "to", "do"]
    assert result.out.endswith("All checks passed.\n")


def test_an_invalid_setting_is_the_only_finding(look: Any):
    """Nothing else is checked."""
    code, found = look(PORT="99999")

    assert (code, list(found)) == (1, ["settings"])
    assert "PORT" in found["settings"][1]


def test_missing_servers_are_reported(run: Run):
    """Without settings and without `dev`, both servers are missing."""
    result = run("doctor", "--json")
    states = {each["name"]: each["state"] for each in json.loads(result.out)["findings"]}

    assert (result.code, states["database"], states["redis"]) == (1, "bad", "bad")


def test_servers_that_are_down_are_reported(look: Any):
    """Each has its own line, without its password."""
    with closed_port() as port:
        down = f"//u:hunter2@127.0.0.1:{port}"
        code, found = look(DATABASE_URL=f"postgresql:{down}/d", REDIS_URL=f"redis:{down}/0")

    assert code == 1
    assert "does not answer: check that it is running." in found["database"][1]
    assert "Start it, or correct REDIS_URL." in found["redis"][1]


def test_a_wrong_password_of_redis_is_reported(look: Any, redis_url: str):
    """The message differs from that for a server that is down."""
    code, found = look(REDIS_URL=f"redis://:hunter2@{redis_url.partition('@')[2]}")

    assert (code, found["redis"][0]) == (1, "bad")
    assert "rejects the user or the password of REDIS_URL" in found["redis"][1]


def test_a_database_without_tables_is_reported(look: Any, empty_database: Callable[[], str]):
    """The advice is to migrate, and nothing else is checked."""
    code, found = look(DATABASE_URL=empty_database())

    assert (code, found["migrations"][0]) == (1, "bad")
    assert "Run `taskriver migrate`." in found["migrations"][1]
    assert "event lag" not in found


def test_a_newer_database_is_reported(look: Any, ask: Any, statement: Any):
    """An older version cannot use it."""

    async def revision(database: Database) -> str:
        async with database.connect() as connection:
            return str((await connection.exec_driver_sql("SELECT version_num FROM alembic_version")).scalar_one())

    known = ask(revision)
    statement("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    try:
        _, found = look()
    finally:
        statement("UPDATE alembic_version SET version_num = $1", known)

    assert found["migrations"][0] == "bad"
    assert "newer" in found["migrations"][1]


@pytest.mark.parametrize(("pool", "state"), [("10", "ok"), ("120", "look"), ("200", "bad")])
def test_the_number_of_connections_is_checked(look: Any, pool: str, state: str):
    """More connections than the server allows are bad; too few for a second process are a warning."""
    assert look(DATABASE_POOL_SIZE=pool)[1]["connections"][0] == state


def test_a_pooler_needs_a_direct_connection(look: Any):
    """The limits of a server that is no PgBouncer are unknown, and that is no failure."""
    code, found = look(DATABASE_POOLER="prepared")

    assert (code, found["direct connection"][0]) == (1, "bad")
    assert "DATABASE_DIRECT_URL must be set" in found["direct connection"][1]
    assert found["sessions"][0] == "look"
    assert "Run: ALTER ROLE taskriver SET statement_timeout = '3000ms';" in found["sessions"][1]
    assert found["pooler"][0] == "ok"
    assert "limits are unknown" in found["pooler"][1]
    assert found["connections"][0] == "ok"


def test_the_direct_connection_leads_to_the_same_database(look: Any, database_url: str, empty_database: Any):
    """Not to another one, or to none."""
    with closed_port() as port:
        urls = (database_url, empty_database(), f"postgresql://u:hunter2@127.0.0.1:{port}/d")
        found = [look(DATABASE_DIRECT_URL=url)[1]["direct connection"] for url in urls]

    assert found[0] == ("ok", "the same database ")
    assert [state for state, _ in found[1:]] == ["bad", "bad"]
    assert "must lead to the database to which DATABASE_URL leads" in found[1][1]
    assert "Correct DATABASE_DIRECT_URL." in found[2][1]


@pytest.mark.parametrize(
    ("values", "state", "advice"),
    [
        ({}, "ok", ""),
        ({"pool_mode": "session", "sessions": 18}, "bad", "Set pool_mode = transaction"),
        ({"pool_mode": "session", "sessions": 19}, "ok", ""),
        ({"prepared_statements": 0}, "bad", "Set max_prepared_statements = 200"),
        ({"clients": 10}, "bad", "Raise max_client_conn, or lower"),
        ({"clients": 30}, "look", "Raise max_client_conn before"),
        ({"sessions": 101}, "bad", "Raise max_connections of PostgreSQL"),
    ],
)
def test_limits_of_a_pooler_are_compared(values: dict[str, Any], state: str, advice: str):
    """With the settings, and with PostgreSQL. One process can open 19 connections."""
    healthy: dict[str, Any] = {"version": "1.24", "pool_mode": "transaction", "clients": 100, "sessions": 20}
    server = ServerStatus("18.1", 18, datetime.now(UTC), False, 0, True, 1, 100)
    settings = Settings(_env_file=None, database_pooler=Pooler.PREPARED)
    found = limits(PgBouncer(**({"prepared_statements": 200} | healthy | values)), server, settings)

    assert (found.name, found.state) == ("pooler", state)
    assert found.advice.startswith(advice)
    assert bool(found.advice) is bool(advice)


@pytest.mark.parametrize(("seconds", "state"), [(0, "ok"), (5, "look"), (60, "bad")])
def test_unnumbered_events_are_reported(look: Any, ask: Any, seconds: int, state: str):
    """After some seconds a warning, later an error: no server runs, or none reaches the log."""

    async def one_event(database: Database) -> None:
        await Builders.clear(database)
        build = Builders(database)
        user = await build.a_user()
        await create_task(build.as_(user, now=datetime.now(UTC) - timedelta(seconds=seconds)), title="Waits")

    ask(one_event)
    found = look()[1]["event lag"]
    ask(Builders.clear)

    assert found[0] == state
    assert "1 events after 0 have no position" in found[1]


@pytest.mark.parametrize(("age", "state"), [(7_200.0, "look"), (60.0, "ok")])
def test_an_old_snapshot_is_reported(look: Any, monkeypatch: pytest.MonkeyPatch, age: float, state: str):
    """It is named, and is a warning after an hour."""

    async def found(connection: object) -> OpenSnapshot:
        return OpenSnapshot("the connection 4711 (psql, idle in transaction)", age, 12)

    monkeypatch.setattr("cli.doctor.database.read_oldest_snapshot", found)
    snapshot = look()[1]["oldest snapshot"]

    assert snapshot[0] == state
    assert "the connection 4711 (psql, idle in transaction)" in snapshot[1]
    assert ("pg_terminate_backend" in snapshot[1]) is (state == "look")


@pytest.mark.parametrize(
    ("values", "state", "text"),
    [
        ({}, "ok", "no standby, asynchronous"),
        ({"standbys": 1}, "ok", "1 standby, asynchronous; 0.0 MB and 0.0 s behind"),
        ({"standbys": 2, "synchronous": 1, "is_synchronous": True}, "ok", "2 standbys, synchronous; 0.0 MB"),
        ({"standbys": 2, "hidden": 2, "is_synchronous": True}, "ok", "GRANT pg_read_all_stats"),
        ({"standbys": 1, "seconds_behind": 11.0}, "look", "11.0 s behind Check the standby that is behind"),
        ({"standbys": 1, "bytes_behind": 300_000_000}, "look", "300.0 MB and 0.0 s behind Check the standby"),
        ({"is_synchronous": True}, "bad", "no standby, synchronous Commits wait for a synchronous standby: start one"),
        ({"standbys": 1, "is_synchronous": True}, "bad", "Commits wait for a synchronous standby: start one"),
        ({"standbys": 1, "synchronous": 1, "is_synchronous": True, "waiting_commits": 3}, "bad", "3 commits waiting"),
    ],
)
def test_replication_is_checked(
    look: Any, monkeypatch: pytest.MonkeyPatch, values: dict[str, Any], state: str, text: str
):
    """A standby that is behind is a warning, and commits that wait are a failure."""
    healthy = dict.fromkeys(("standbys", "hidden", "synchronous", "bytes_behind", "waiting_commits"), 0)

    async def found(connection: object) -> Standbys:
        return Standbys(**({"seconds_behind": 0.0, "is_synchronous": False} | healthy | values))

    monkeypatch.setattr("cli.doctor.database.read_standbys", found)
    replication = look()[1]["replication"]

    assert replication[0] == state
    assert text in replication[1]


@pytest.mark.parametrize(
    ("transactions", "multixacts", "state"),
    [
        (200_000_000, 0, "ok"),
        (600_000_000, 0, "look"),
        (0, 600_000_000, "look"),
        (1_600_000_000, 0, "bad"),
    ],
)
def test_old_transaction_ids_are_reported(
    look: Any, monkeypatch: pytest.MonkeyPatch, transactions: int, multixacts: int, state: str
):
    """Before PostgreSQL refuses writes. The advice names the database."""

    async def found(connection: object) -> TransactionIds:
        return TransactionIds("old_one", transactions, multixacts, 200_000_000)

    monkeypatch.setattr("cli.doctor.database.read_transaction_ids", found)
    ids = look()[1]["transaction ids"]

    assert ids[0] == state
    assert "used in old_one" in ids[1]
    assert ("VACUUM (FREEZE) in the database old_one" in ids[1]) is (state != "ok")


@pytest.mark.parametrize(("days", "state"), [(31, "ok"), (44, "look"), (90, "look")])
def test_expired_events_are_reported(look: Any, ask: Any, days: int, state: str):
    """A warning some days after their expiry; without scheduled clean-up the advice names the command."""

    async def one_event(database: Database) -> None:
        await Builders.clear(database)
        build = Builders(database)
        await create_task(build.as_(await build.a_user(), now=datetime.now(UTC) - timedelta(days=days)), title="Old")
        async with database.log() as log:
            await log.number()

    ask(one_event)
    found = [look(CLEANUP_SCHEDULE=schedule)[1]["retention"] for schedule in ("0 3 * * *", "off")]
    ask(Builders.clear)

    assert [state for state, _ in found] == [state, state]
    if state == "ok":
        return
    assert "does not run: start a server" in found[0][1]
    assert "CLEANUP_SCHEDULE is off: run `taskriver cleanup` every day." in found[1][1]


def test_an_unfinished_upgrade_is_a_warning(look: Any, statement: Any):
    """New cursors have the format of the previous version."""
    assert look()[1]["stream cursors"] == ("ok", "format 2 ")
    statement("UPDATE log_state SET cursor_format = 1")
    try:
        code, found = look()
    finally:
        statement("UPDATE log_state SET cursor_format = 2")

    assert (code, found["stream cursors"][0]) == (3, "look")
    assert "taskriver stream cursor-format 2" in found["stream cursors"][1]


def test_key_names_are_shown_and_keys_are_not(look: Any):
    """More than one old signing key is a warning."""
    assert look(SECRET_KEYS=f"b:{SECRET}")[1]["secrets"] == ("ok", "b signs ")
    state, report = look(SECRET_KEYS=",".join(f"{name}:{SECRET}{name}" for name in "cba"))[1]["secrets"]

    assert (state, report.startswith("c signs, b, a only verify")) == ("look", True)


def test_a_readable_env_file_is_reported(look: Any, tmp_path: Path):
    """A file .env that other users can read is a warning."""
    (tmp_path / ".env").write_text("LOG_LEVEL=info\n")
    (tmp_path / ".env").chmod(0o644)
    readable = look()[1]["settings"]
    (tmp_path / ".env").chmod(0o600)

    assert (readable[0], look()[1]["settings"][0]) == ("look", "ok")
    assert "chmod 600 .env" in readable[1]
