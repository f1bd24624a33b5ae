"""Checks what grows unnoticed on the server: the distance of the standbys, snapshots, and transaction ids."""

from typing import Final

from cli.doctor.finding import CheckResult, make_finding
from cli.output import counted
from persistence.diagnostics import OpenSnapshot, Standbys, TransactionIds

SNAPSHOT_WARNING_SECONDS: Final = 3600.0
SNAPSHOT_WARNING_TRANSACTIONS: Final = 1_000_000
STANDBY_WARNING_SECONDS: Final = 10.0
STANDBY_WARNING_BYTES: Final = 256_000_000
IDS_WARNING: Final = 500_000_000
IDS_BAD: Final = 1_500_000_000
IDS_END: Final = 2_147_000_000
"""From about here on PostgreSQL refuses writes (PostgreSQL, 25.1.5)."""


def standbys(found: Standbys) -> CheckResult:
    """Whether commits are replicated as they should be, and the standbys are not far behind."""
    number = "no standby" if not found.standbys else counted(found.standbys, "standby")
    detail = f"{number}, {'synchronous' if found.is_synchronous else 'asynchronous'}"
    if found.hidden:
        detail = f"{detail}; details need GRANT pg_read_all_stats"
    elif found.standbys:
        detail = f"{detail}; {found.bytes_behind / 1e6:,.1f} MB and {found.seconds_behind:,.1f} s behind"
    return make_finding(
        "replication",
        detail if not found.waiting_commits else f"{detail}; {counted(found.waiting_commits, 'commit')} waiting",
        bad=_unconfirmed(found),
        warning=_late(found),
    )


def _unconfirmed(found: Standbys) -> str:
    is_missing = found.is_synchronous and not found.synchronous and not found.hidden
    if not is_missing and not found.waiting_commits:
        return ""
    return (
        "Commits wait for a synchronous standby: start one of synchronous_standby_names, or change that setting. "
        "Do not cancel the commits: their changes could be lost."
    )


def _late(found: Standbys) -> str:
    if found.seconds_behind <= STANDBY_WARNING_SECONDS and found.bytes_behind <= STANDBY_WARNING_BYTES:
        return ""
    return "Check the standby that is behind: its disk, its network, and queries that delay its recovery."


def oldest_snapshot(snapshot: OpenSnapshot | None) -> CheckResult:
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


def transaction_ids(found: TransactionIds) -> CheckResult:
    """Whether PostgreSQL freezes old rows in time. When it has no ids left, it refuses writes."""
    age = max(found.transactions, found.multixacts)
    unit = "transactions" if found.transactions >= found.multixacts else "multixacts"
    advice = (
        "Autovacuum does not keep up. End old transactions and remove unused replication slots (oldest snapshot), then "
        f"run VACUUM (FREEZE) in the database {found.database}."
    )
    return make_finding(
        "transaction ids",
        f"{age:,} of {IDS_END:,} {unit} used in {found.database}",
        bad=advice if age > IDS_BAD else "",
        warning=advice if age > max(IDS_WARNING, 2 * found.freeze_max_age) else "",
    )
