"""Checks PostgreSQL."""

import time
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from cli.connections import check_reachable, check_sessions_of
from cli.doctor import pooler, replication
from cli.doctor.finding import CheckResult, CheckState, make_finding
from cli.errors import CommandError
from domain.errors import DomainError
from persistence.address import shown_hosts
from persistence.database import Database
from persistence.diagnostics import (
    EXTENSION,
    OLDEST_VERSION,
    LogStatus,
    OpenSnapshot,
    ServerStatus,
    Standbys,
    TransactionIds,
    read_log_status,
    read_oldest_snapshot,
    read_server_key,
    read_server_status,
    read_standbys,
    read_transaction_ids,
)
from persistence.pgbouncer import read_pgbouncer
from persistence.pooler import Pooler
from persistence.schema_check import pending
from server.settings import Settings

SKEW_WARNING_SECONDS: Final = 0.5
SKEW_BAD_SECONDS: Final = 5.0
"""This machine's clock decides when sessions and tokens expire. From one minute on, the clean-up refuses to run."""
LAG_WARNING_SECONDS: Final = 2.0
LAG_BAD_SECONDS: Final = 10.0
CLEANUP_LATE: Final = timedelta(days=2)
NAME: Final = "database"


class _Read(NamedTuple):
    """What was read from the database; `clock` is this machine's at that time."""

    server: ServerStatus
    clock: datetime
    missing: int | None
    log: LogStatus | None
    standbys: Standbys
    snapshot: OpenSnapshot | None
    ids: TransactionIds
    key: str


async def check(database: Database, settings: Settings) -> tuple[list[CheckResult], ServerStatus | None]:
    """All findings about the database, and the status of its server."""
    try:
        await check_reachable(database, settings.database_pooler)
        sessions = await check_sessions_of(database, settings.database_pooler)
        read = await _read(database)
        direct = await pooler.direct(settings, read.key)
    except CommandError as error:
        return [CheckResult(NAME, CheckState.BAD, str(error), "Start it, or correct DATABASE_URL.")], None
    except DomainError as error:
        return [CheckResult(NAME, CheckState.BAD, error.message, "Try again.")], None
    findings = [
        _server(database, read.server),
        pooler.sessions(sessions, settings),
        _migrations(read.missing),
        pooler.connections(read.server, settings),
        _clock(read.server, read.clock),
        replication.standbys(read.standbys),
        replication.oldest_snapshot(read.snapshot),
        replication.transaction_ids(read.ids),
    ]
    if settings.database_pooler is not Pooler.NONE:
        findings.append(pooler.limits(await read_pgbouncer(database.engine.url), read.server, settings))
    if direct is not None:
        findings.append(direct)
    if read.log is not None:
        findings += [_lag(read.log), _retention(read.log, settings, read.server.clock), _cursors(read.log)]
    return findings, read.server


async def _read(database: Database) -> _Read:
    async with database.connect() as connection:
        began = time.time()
        server = await read_server_status(connection)
        clock = datetime.fromtimestamp((began + time.time()) / 2, UTC)
        missing = await pending(connection)
        return _Read(
            server,
            clock,
            missing,
            await read_log_status(connection) if missing == 0 else None,
            await read_standbys(connection),
            await read_oldest_snapshot(connection),
            await read_transaction_ids(connection),
            await read_server_key(connection),
        )


def _server(database: Database, server: ServerStatus) -> CheckResult:
    url = database.engine.url
    detail = f"PostgreSQL {server.version.split()[0]} at {shown_hosts(url)}/{url.database}"
    if server.major < OLDEST_VERSION:
        return CheckResult(NAME, CheckState.BAD, detail, f"PostgreSQL {OLDEST_VERSION} or newer is needed.")
    if server.standby:
        return CheckResult(NAME, CheckState.BAD, f"{detail}, a standby", "DATABASE_URL must name the primary.")
    if not server.extension:
        advice = f"Run `taskriver migrate`, or as a superuser: CREATE EXTENSION {EXTENSION}."
        return CheckResult(NAME, CheckState.WARNING, f"{detail}, without {EXTENSION}", advice)
    return CheckResult(NAME, CheckState.OK, detail)


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
