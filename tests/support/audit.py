"""The audit log, as tests read it."""

from datetime import datetime
from typing import Any

from domain.actor import OPERATOR
from domain.audit import AuditAction
from persistence.database import Database
from persistence.models import AuditRow
from persistence.queries.audit import AuditFilter
from services.audit import read_entries


async def entries(database: Database, action: AuditAction | None = None, **wanted: Any) -> list[AuditRow]:
    """The entries, the oldest first."""
    pages = read_entries(database.unit_of_work(OPERATOR), AuditFilter(action=action, **wanted))
    return [row async for page in pages for row in page]


async def actions(database: Database, since: datetime | None = None) -> list[str]:
    """What was done, the oldest first."""
    return [row.action.value for row in await entries(database, since=since)]


def facts(row: AuditRow) -> tuple[Any, ...]:
    """Action, actor, address, subject and details of an entry."""
    return row.action.value, row.actor_name, row.ip_address, row.subject_kind, row.subject_name, row.details
