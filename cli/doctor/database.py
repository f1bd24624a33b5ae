"""Checks PostgreSQL."""

import time
from datetime import UTC, datetime, timedelta
from typing import Final

from cli.connections import check_reachable, check_sessions_of
from cli.doctor.finding import CheckResult, CheckState, make_finding
from cli.errors import CommandError
from cli.output import counted
from domain.errors import DomainError
from persistence.database import Database
from persistence.diagnostics import (
    EXTENSION,
    OLDEST_VERSION,
    LogStatus,
    OpenSnapshot,
    ServerStatus,
    connections_of,
    read_log_status,
    read_oldest_snapshot,
    read_server_status,
)
from persistence.schema_check import pending
from persistence.session_pooling import SessionTimeouts
from server.settings import Settings

SKEW_WARNING_SECONDS: Final = 0.5
SKEW_BAD_SECONDS: Final = 5.0
"""This machine's clock decides when sessions and tokens expire. From one minute on, the clean-up refuses to run."""
LAG_WARNING_SECONDS: Final = 2.0
LAG_BAD_SECONDS: Final = 10.0
CLEANUP_LATE: Final = timedelta(days=2)
SNAPSHOT_WARNING_SECONDS: Final = 3600.0
SNAPSHOT_WARNING_TRANSACTIONS: Final = 1_000_000
NAME: Final = "database"


async def check(database: Database, settings: Settings) -> tuple[list[CheckResult], ServerStatus | None]:
    """All findings about the database, and the status of its server."""
    try:
        await check_reachable(database)
        sessions = await check_sessions_of(database)
        async with database.connect() as connection:
            began = time.time()
            server = await read_server_status(connection)
            middle = datetime.fromtimestamp((began + time.time()) / 2, UTC)
            missing = await pending(connection)
            log = await read_log_status(connection) if missing == 0 else None
            snapshot = await read_oldest_snapshot(connection)
    except CommandError as error:
        return [CheckResult(NAME, CheckState.BAD, str(error), "Start it, or correct DATABASE_URL.")], None
    except DomainError as error:
        return [CheckResult(NAME, CheckState.BAD, error.message, "Try again.")], None
    findings = [
        _server(database, server),
        _sessions(sessions),
        _migrations(missing),
        _budget(server, settings),
        _clock(server, middle),
        _oldest_snapshot(snapshot),
    ]
    if log is not None:
        findings += [_lag(log), _retention(log, settings, server.clock), _cursors(log)]
    return findings, server


def _server(database: Database, server: ServerStatus) -> CheckResult:
    url = database.engine.url
    detail = f"PostgreSQL {server.version.split()[0]} at {url.host or 'localhost'}:{url.port or 5432}/{url.database}"
    if server.major < OLDEST_VERSION:
        return CheckResult(NAME, CheckState.BAD, detail, f"PostgreSQL {OLDEST_VERSION} or newer is needed.")
    if server.standby:
        return CheckResult(NAME, CheckState.BAD, f"{detail}, a standby", "DATABASE_URL must name the primary.")
    if not server.extension:
        advice = f"Run `taskriver migrate`, or as a superuser: CREATE EXTENSION {EXTENSION}."
        return CheckResult(NAME, CheckState.WARNING, f"{detail}, without {EXTENSION}", advice)
    return CheckResult(NAME, CheckState.OK, detail)


def _sessions(found: SessionTimeouts | None) -> CheckResult:
    ignored = found is not None and not found.time_outs
    detail = "a connection pooler ignores session settings" if ignored else "each connection has its own session"
    advice = "Set PostgreSQL's time-outs for the database user: see docs/deployment.md."
    return make_finding("sessions", detail, warning=advice if ignored else "")


def _migrations(missing: int | None) -> CheckResult:
    if missing is None:
        return CheckResult(
            "migrations",
            CheckState.BAD,
            "the tables are newer than this version of Taskriver",
            "Install the newer version.",
        )
    detail = "up to date" if not missing else f"the tables are older than this version; {missing} to apply"
    return make_finding("migrations", detail, bad="Run `taskriver migrate`." if missing else "")


def _budget(server: ServerStatus, settings: Settings) -> CheckResult:
    """Whether PostgreSQL allows as many connections as a server with these settings can open."""
    needed = connections_of(settings.workers, settings.database_pool_size)
    detail = f"{counted(settings.workers, 'process')} can open {needed} of {server.connections}; {server.in_use} in use"
    return make_finding(
        "connections",
        detail,
        bad="Raise max_connections, or lower WORKERS or DATABASE_POOL_SIZE." if needed > server.connections else "",
        warning="Raise max_connections before you add a second server." if 2 * needed > server.connections else "",
    )


def _clock(server: ServerStatus, here: datetime) -> CheckResult:
    skew = (server.clock - here).total_seconds()
    wrong = abs(skew)
    advice = "Configure the same time server (NTP) on both machines."
    detail = f"{wrong:.3f} s {'behind' if skew > 0 else 'ahead of'} the database's clock"
    return make_finding(
        "clock",
        detail,
        bad=advice if wrong > SKEW_BAD_SECONDS else "",
        warning=advice if wrong > SKEW_WARNING_SECONDS else "",
    )


def _oldest_snapshot(snapshot: OpenSnapshot | None) -> CheckResult:
    """Whether an old snapshot prevents PostgreSQL from removing dead rows."""
    name = "oldest snapshot"
    if snapshot is None:
        return make_finding(name, "none, except that of this command")
    age = f"{snapshot.age_seconds:,.0f} s old" if snapshot.age_seconds is not None else "of unknown age"
    detail = f"{age}, {snapshot.behind:,} transactions behind: {snapshot.holder}"
    advice = (
        "The database grows and slows down while it exists: end the transaction (SELECT pg_terminate_backend(pid), "
        "ROLLBACK PREPARED), drop the unused replication slot, or wait until the dump ends."
    )
    is_old = (snapshot.age_seconds or 0.0) > SNAPSHOT_WARNING_SECONDS or snapshot.behind > SNAPSHOT_WARNING_TRANSACTIONS
    return make_finding(name, detail, warning=advice if is_old else "")


def _lag(log: LogStatus) -> CheckResult:
    if not log.unnumbered:
        return make_finding("event lag", f"none: all {log.position:,} events have their position")
    detail = f"{log.unnumbered:,} events after {log.position:,} have no position, the first for {log.lag_seconds:.1f} s"
    advice = "A running server assigns positions within a second: check that one runs and reaches this database."
    return make_finding(
        "event lag",
        detail,
        bad=advice if log.lag_seconds > LAG_BAD_SECONDS else "",
        warning=advice if log.lag_seconds > LAG_WARNING_SECONDS else "",
    )


def _cursors(log: LogStatus) -> CheckResult:
    """Whether new stream cursors show that the history was replaced."""
    advice = "Run `taskriver stream cursor-format 2` when no process of version 0.2 runs."
    return make_finding(
        "stream cursors", f"format {log.cursor_format}", warning=advice if log.cursor_format == 1 else ""
    )


def _retention(log: LogStatus, settings: Settings, clock: datetime) -> CheckResult:
    """Whether old events are removed. The clean-up runs once a day; one missed run is accepted."""
    days = settings.event_retention_days
    kept = f"{log.position - log.trimmed:,} events kept for {days} days"
    if log.oldest is None:
        return make_finding("retention", kept)
    age = clock - log.oldest
    overdue = age > timedelta(days=days) + CLEANUP_LATE
    if settings.cleanup_cron is None:
        advice = "CLEANUP_SCHEDULE is off: run `taskriver cleanup` every day."
    else:
        advice = f"The clean-up ({settings.cleanup_cron}) does not run: start a server, or run `taskriver cleanup`."
    return make_finding(
        "retention", f"{kept}, the oldest is {max(age.days, 0)} days old", warning=advice if overdue else ""
    )
