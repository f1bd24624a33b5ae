"""The audit log: entries of changes that several services make, entries of processes, and reading it."""

from collections.abc import AsyncIterator, Mapping

import orjson

from domain import policy
from domain.audit import AuditAction, AuditEntry, Detail, Performer, Subject, counted_id, safe_details
from domain.policy import Action
from domain.project import ProjectRole
from persistence.models import AuditRow, MembershipRow, ProjectRow, UserRow
from persistence.pagination import MAX_FIRST, PageRequest
from persistence.queries.audit import ALL_ENTRIES, AUDIT_ORDER, AuditFilter, audit_page
from persistence.unit_of_work import UnitOfWork


def member_entry(
    action: AuditAction,
    project: ProjectRow,
    member: UserRow | None,
    membership: MembershipRow,
    *,
    new_role: ProjectRole | None = None,
    reason: str | None = None,
    performer: Performer | None = None,
) -> AuditEntry:
    """The entry of a change of a membership, whose row has its role before the change."""
    details: dict[str, Detail] = {"project": project.key, "projectId": str(project.id)}
    if action is not AuditAction.MEMBER_ADDED:
        details["from"] = membership.role.value
    if new_role is not None:
        details["to"] = new_role.value
    if reason is not None:
        details["reason"] = reason
    name = member.username if member is not None else None
    return AuditEntry(action, Subject.user(membership.user_id, name), details, performer)


def project_entry(action: AuditAction, project: ProjectRow, **details: Detail) -> AuditEntry:
    """The entry of a change of a project."""
    return AuditEntry(action, Subject.project(project.id, project.key), details)


async def record(uow: UnitOfWork, action: AuditAction, details: Mapping[str, Detail]) -> None:
    """Add an entry in a separate transaction, for something that changes nothing or has many transactions."""
    async with uow:
        uow.audit(AuditEntry(action, details=details))
        await uow.commit()


async def record_start(uow: UnitOfWork, settings: Mapping[str, Detail]) -> None:
    """Add an entry for the start of a process with these settings, which are not secret.

    Starts with the same settings within the same hour are one entry with their number: the processes of a server, and
    a server that is restarted again and again.
    """
    async with uow:
        stored = orjson.dumps(safe_details(settings), option=orjson.OPT_SORT_KEYS).decode()
        entry_id = counted_id(await uow.server_time(), AuditAction.SERVER_STARTED, stored)
        entry = AuditEntry(AuditAction.SERVER_STARTED, details=settings)
        await uow.audit_entries.count([uow.audit_entries.row(entry, id=entry_id)])
        await uow.commit()


async def read_entries(uow: UnitOfWork, wanted: AuditFilter = ALL_ENTRIES) -> AsyncIterator[list[AuditRow]]:
    """The entries of a filter in pages, the oldest first. Entries that are added during that time can be among them.

    Raises:
        Forbidden: the actor may not read the audit log.
    """
    policy.require_user(uow.actor, Action.READ_AUDIT, uow.actor.user_id, path=())
    before = None
    while True:
        async with uow:
            request = PageRequest.of(last=MAX_FIRST, before=before, order=AUDIT_ORDER)
            page = await uow.page(AuditRow, audit_page(request, wanted))
        yield list(reversed(page.rows))
        if not page.has_previous:
            return
        before = page.cursor_at(0)
