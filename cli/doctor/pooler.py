"""Checks the sessions, the connection pooler, and the limits of connections."""

from typing import Final

from cli.connections import DIRECT_MISSING, DIRECT_URL, check_reachable, check_sessions_of, direct_url_of
from cli.doctor.finding import CheckResult, CheckState, make_finding
from cli.errors import CommandError
from cli.output import counted
from persistence.database import Database
from persistence.diagnostics import ServerStatus, connections_of, read_server_key
from persistence.pgbouncer import PgBouncer
from persistence.pooler import Pooler
from persistence.session_pooling import Sessions
from server.settings import Settings

POOLER: Final = "pooler"
DIRECT: Final = "direct connection"
TRANSACTION: Final = "transaction"


def sessions(found: Sessions | None, settings: Settings) -> CheckResult:
    """Whether the sessions have PostgreSQL's time-outs. Behind a pooler they come from the role."""
    if settings.database_pooler is Pooler.NONE:
        detail = "each connection has its own session"
    elif found is not None and found.is_shared:
        detail = f"connections share sessions ({settings.database_pooler.value})"
    else:
        detail = f"a connection pooler ({settings.database_pooler.value})"
    missing = "" if found is None else " ".join(found.missing)
    advice = f"Run: {missing} Then let the pooler open new sessions (RECONNECT)." if missing else ""
    return make_finding("sessions", f"{detail}; time-outs are missing" if missing else detail, warning=advice)


def connections(server: ServerStatus, settings: Settings) -> CheckResult:
    """Whether the server allows as many connections as a Taskriver with these settings can open."""
    name, needed = "connections", connections_of(settings.workers, settings.database_pool_size)
    processes = counted(settings.workers, "process")
    in_use = f"{server.connections}; {server.in_use} in use"
    if settings.database_pooler is not Pooler.NONE:
        return make_finding(name, f"{processes} can open {needed} to the pooler; PostgreSQL allows {in_use}")
    return make_finding(
        name,
        f"{processes} can open {needed} of {in_use}",
        bad="Raise max_connections, or lower WORKERS or DATABASE_POOL_SIZE." if needed > server.connections else "",
        warning="Raise max_connections before you add a second server." if 2 * needed > server.connections else "",
    )


def limits(found: PgBouncer | None, server: ServerStatus, settings: Settings) -> CheckResult:
    """Whether the limits of PgBouncer fit the settings and the server."""
    if found is None:
        return make_finding(POOLER, "no PgBouncer, or its stats_users does not have this user: limits are unknown")
    needed = connections_of(settings.workers, settings.database_pool_size)
    detail = (
        f"PgBouncer {found.version}, pool_mode {found.pool_mode}, {counted(found.sessions, 'session')} for "
        f"{counted(needed, 'connection')}; max_client_conn {found.clients}"
    )
    return make_finding(
        POOLER,
        detail,
        bad=_wrong_limit(found, server, needed, settings.database_pooler),
        warning="Raise max_client_conn before you add a second server." if 2 * needed > found.clients else "",
    )


def _wrong_limit(found: PgBouncer, server: ServerStatus, needed: int, pooler: Pooler) -> str:
    """What to do about the first limit that does not fit; empty if all fit."""
    if found.pool_mode == "session" and needed > found.sessions:
        return "Set pool_mode = transaction, or raise default_pool_size: each connection holds a session."
    if found.pool_mode == TRANSACTION and pooler is Pooler.PREPARED and not found.prepared_statements:
        return "Set max_prepared_statements = 200 (PgBouncer 1.21 or newer), or DATABASE_POOLER=unprepared."
    if needed > found.clients:
        return "Raise max_client_conn, or lower WORKERS or DATABASE_POOL_SIZE."
    if found.sessions > server.connections:
        return "Raise max_connections of PostgreSQL, or lower default_pool_size or reserve_pool_size."
    return ""


async def direct(settings: Settings, server_key: str) -> CheckResult | None:
    """Whether DATABASE_DIRECT_URL leads to the same server, and not through a pooler; None if it is not needed."""
    if settings.database_direct_url is None:
        if settings.database_pooler is Pooler.NONE:
            return None
        return CheckResult(DIRECT, CheckState.BAD, f"{DIRECT_URL} is not set", DIRECT_MISSING)
    database = Database(direct_url_of(settings), pool_size=1)
    try:
        await check_reachable(database, setting=DIRECT_URL)
        await check_sessions_of(database, setting=DIRECT_URL)
        async with database.connect() as connection:
            is_same = await read_server_key(connection) == server_key
    except CommandError as error:
        return CheckResult(DIRECT, CheckState.BAD, str(error), f"Correct {DIRECT_URL}.")
    finally:
        await database.close()
    return make_finding(
        DIRECT,
        "the same database" if is_same else "another database, or another server",
        bad="" if is_same else f"{DIRECT_URL} must lead to the database to which DATABASE_URL leads.",
    )
