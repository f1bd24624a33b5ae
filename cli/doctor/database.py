"""What PostgreSQL says."""

import time
from datetime import UTC, datetime, timedelta
from typing import Final

from cli.connections import check_answers, check_sessions_of
from cli.doctor.finding import Finding, State, judged
from cli.output import counted
from domain.errors import DomainError
from persistence import migrations
from persistence.database import Database
from persistence.diagnostics import (
    EXTENSION,
    OLDEST_VERSION,
    LogCondition,
    ServerCondition,
    Snapshot,
    connections_of,
    look_at_log,
    look_at_server,
    look_at_snapshots,
)
from persistence.session_pooling import Sessions
from server.errors import CommandError
from server.settings import Settings

SKEW_LOOK_SECONDS: Final = 0.5
SKEW_BAD_SECONDS: Final = 5.0
"""Sessions and tokens are judged by this machine's clock; the clean-up refuses from a minute on."""
LAG_LOOK_SECONDS: Final = 2.0
LAG_BAD_SECONDS: Final = 10.0
CLEANUP_LATE: Final = timedelta(days=2)
SNAPSHOT_LOOK_SECONDS: Final = 3600.0
SNAPSHOT_LOOK_TRANSACTIONS: Final = 1_000_000
NAME: Final = "database"


async def look(database: Database, settings: Settings) -> tuple[list[Finding], ServerCondition | None]:
    """Everything about the database, and the server's own words."""
    try:
        await check_answers(database)
        sessions = await check_sessions_of(database)
        async with database.connect() as connection:
            began = time.time()
            server = await look_at_server(connection)
            middle = datetime.fromtimestamp((began + time.time()) / 2, UTC)
            lacking = await migrations.pending(connection)
            log = await look_at_log(connection) if lacking == 0 else None
            snapshot = await look_at_snapshots(connection)
    except CommandError as error:
        return [Finding(NAME, State.BAD, str(error), "Start it, or correct DATABASE_URL.")], None
    except DomainError as error:
        return [Finding(NAME, State.BAD, error.message, "Try again.")], None
    findings = [
        _server(database, server),
        _sessions(sessions),
        _migrations(lacking),
        _budget(server, settings),
        _clock(server, middle),
        _oldest_snapshot(snapshot),
    ]
    return findings + ([_lag(log), _retention(log, settings, server.clock)] if log is not None else []), server


def _server(database: Database, server: ServerCondition) -> Finding:
    url = database.engine.url
    told = f"PostgreSQL {server.version.split()[0]} at {url.host or 'localhost'}:{url.port or 5432}/{url.database}"
    if server.major < OLDEST_VERSION:
        return Finding(NAME, State.BAD, told, f"PostgreSQL {OLDEST_VERSION} or newer is needed.")
    if server.standby:
        return Finding(NAME, State.BAD, f"{told}, a standby", "DATABASE_URL must name the primary.")
    if not server.extension:
        advice = f"`taskriver migrate` creates the extension, or whoever may: CREATE EXTENSION {EXTENSION}."
        return Finding(NAME, State.LOOK, f"{told}, without {EXTENSION}", advice)
    return Finding(NAME, State.OK, told)


def _sessions(found: Sessions | None) -> Finding:
    ignored = found is not None and not found.time_outs
    told = "a pooler ignores their settings" if ignored else "each connection is one of its own"
    advice = "Set PostgreSQL's time-outs for the user: docs/deployment.md shows how."
    return judged("sessions", told, look=advice if ignored else "")


def _migrations(lacking: int | None) -> Finding:
    if lacking is None:
        return Finding(
            "migrations",
            State.BAD,
            "the tables are newer than this version of Taskriver",
            "Install the newer version.",
        )
    told = "up to date" if not lacking else f"the tables are older than this version, {lacking} to be applied"
    return judged("migrations", told, bad="Run `taskriver migrate`." if lacking else "")


def _budget(server: ServerCondition, settings: Settings) -> Finding:
    """Whether a server of these settings can have all the connections that it may want."""
    wanted = connections_of(settings.workers, settings.database_pool_size)
    told = (
        f"at most {wanted} for {counted(settings.workers, 'process')} of {server.connections}; {server.in_use} in use"
    )
    return judged(
        "connections",
        told,
        bad="Raise max_connections, or lower WORKERS or DATABASE_POOL_SIZE." if wanted > server.connections else "",
        look="A second server would find too few: see before you add one." if 2 * wanted > server.connections else "",
    )


def _clock(server: ServerCondition, here: datetime) -> Finding:
    skew = (server.clock - here).total_seconds()
    wrong = abs(skew)
    advice = "Let both machines ask the same time server (NTP)."
    told = f"{wrong:.3f} s {'behind' if skew > 0 else 'ahead of'} the database's"
    return judged(
        "clock",
        told,
        bad=advice if wrong > SKEW_BAD_SECONDS else "",
        look=advice if wrong > SKEW_LOOK_SECONDS else "",
    )


def _oldest_snapshot(snapshot: Snapshot | None) -> Finding:
    """Whether something keeps the server from removing what nobody else can see."""
    name = "oldest snapshot"
    if snapshot is None:
        return judged(name, "none but our own")
    age = f"{snapshot.age_seconds:,.0f} s old" if snapshot.age_seconds is not None else "of unknown age"
    told = f"{age}, {snapshot.behind:,} transactions behind: {snapshot.holder}"
    advice = (
        "The database grows and slows down until it ends: end that transaction (SELECT pg_terminate_backend(pid), "
        "ROLLBACK PREPARED), drop a slot that nobody uses, or wait for a dump."
    )
    is_old = (snapshot.age_seconds or 0.0) > SNAPSHOT_LOOK_SECONDS or snapshot.behind > SNAPSHOT_LOOK_TRANSACTIONS
    return judged(name, told, look=advice if is_old else "")


def _lag(log: LogCondition) -> Finding:
    if not log.unnumbered:
        return judged("event lag", f"none: all {log.position:,} events have their place")
    told = f"{log.unnumbered:,} behind {log.position:,} wait for a place, the first for {log.lag_seconds:.1f} s"
    advice = "A running server gives places within a second: does one run, and reach this database?"
    return judged(
        "event lag",
        told,
        bad=advice if log.lag_seconds > LAG_BAD_SECONDS else "",
        look=advice if log.lag_seconds > LAG_LOOK_SECONDS else "",
    )


def _retention(log: LogCondition, settings: Settings, clock: datetime) -> Finding:
    """Whether old events are removed: a clean-up comes once a day, and one may have been missed."""
    days = settings.event_retention_days
    kept = f"{log.position - log.trimmed:,} events kept for {days} days"
    if log.oldest is None:
        return judged("retention", kept)
    age = clock - log.oldest
    overdue = age > timedelta(days=days) + CLEANUP_LATE
    if settings.cleanup_cron is None:
        advice = "CLEANUP_SCHEDULE is off: run `taskriver cleanup` every day."
    else:
        advice = f"The clean-up ({settings.cleanup_cron}) does not run: does a server? `taskriver cleanup` does it now."
    return judged("retention", f"{kept}, the oldest is {max(age.days, 0)} days old", look=advice if overdue else "")
