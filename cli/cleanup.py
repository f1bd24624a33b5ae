"""`taskriver cleanup`."""

import asyncio
from dataclasses import asdict

from cli.connections import database_of
from cli.errors import CommandError
from cli.output import AsJSON, counted, print_result
from cli.settings import read_settings
from domain.actor import OPERATOR
from server.settings import Settings
from services.cleanup import ClocksDiffer, Removed, clean_up


def cleanup(as_json: AsJSON = False) -> None:
    """Remove expired sessions, and what is kept no longer.

    Removes idempotency keys that are older than 30 days, events that are older than EVENT_RETENTION_DAYS, tasks that
    were deleted TRASH_DAYS ago (they cannot be restored any more), entries of the audit log that are older than
    AUDIT_DAYS, e-mail that was sent or given up MAIL_DAYS ago, and what is older than 30 days of expired invitations.
    A running server does the same at the times of CLEANUP_SCHEDULE.
    """
    removed = asyncio.run(_cleanup(read_settings()))
    if removed is None:
        print_result("Another process is already cleaning up.", {"removed": None}, as_json=as_json)
        return
    words = (
        f"Removed {counted(removed.sessions, 'expired session')}, {counted(removed.tokens, 'expired access token')}, "
        f"{counted(removed.keys, 'idempotency key')}, {counted(removed.events, 'old event')}, "
        f"{counted(removed.tasks, 'deleted task')}, {counted(removed.audit_entries, 'audit entry', 'audit entries')}, "
        f"{counted(removed.invitations, 'expired invitation')}, {counted(removed.mails, 'old e-mail')}."
    )
    print_result(words, {"removed": asdict(removed)}, as_json=as_json)


async def _cleanup(settings: Settings) -> Removed | None:
    async with database_of(settings) as database:
        try:
            return await clean_up(
                database.unit_of_work(OPERATOR),
                event_retention=settings.event_retention,
                trash_retention=settings.trash_retention,
                audit_retention=settings.audit_retention,
                mail_retention=settings.mail_retention,
            )
        except ClocksDiffer as error:
            raise CommandError(str(error)) from error
