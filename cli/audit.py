"""`taskriver audit`."""

import asyncio
import csv
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Final, TextIO

import typer

from cli.connections import database_of
from cli.errors import CommandError
from cli.output import examples
from cli.settings import read_settings
from domain.actor import OPERATOR
from domain.audit import AuditAction
from persistence.models import AuditRow
from persistence.queries.audit import AuditFilter
from server.settings import Settings
from services import audit as audit_service

Facts = Mapping[str, Any]
Writer = Callable[[dict[str, Any]], None]
"""Prints one entry."""


class Layout(StrEnum):
    """How entries are printed."""

    TABLE = "table"
    JSONL = "jsonl"
    CSV = "csv"


Time = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="2026-12-31 or 2026-12-31T12:00; in UTC, unless it has an offset (+01:00)."),
]
WantedAction = Annotated[
    AuditAction | None,
    typer.Option(metavar="ACTION", help="Only this action, such as SIGN_IN_FAILED.", case_sensitive=False),
]
InLayout = Annotated[Layout, typer.Option("--format", help="How to print the entries.")]

EXAMPLES: Final = examples(
    "taskriver audit --since 2026-12-01",
    "taskriver audit --action sign_in_failed --format csv > failures.csv",
    "taskriver audit --until 2026-12-01 --format jsonl > old.jsonl",
)

_FIELDS: Final = (
    *("id", "at", "lastAt", "times", "action", "actorId", "actorName", "ipAddress"),
    *("subjectKind", "subjectId", "subjectName", "details"),
)
_WIDTHS: Final = {"at": 32, "times": 5, "action": 22, "actor": 27, "address": 24, "subject": 28, "details": 0}
"""The columns of the table, with their widths in characters; longer values are not cut."""


def audit(since: Time = None, until: Time = None, action: WantedAction = None, layout: InLayout = Layout.TABLE) -> None:
    """Print the audit log.

    Prints who changed access, or tried to: the oldest entry first, in pages, so that a log of any size can be printed.
    The log gets an entry about that, too.
    """
    wanted = AuditFilter(action=action, since=_time(since, "--since"), until=_time(until, "--until"))
    asyncio.run(_print(read_settings(), wanted, layout))


async def _print(settings: Settings, wanted: AuditFilter, layout: Layout) -> None:
    details = {name: getattr(value, "isoformat", value.__str__)() for name, value in wanted.values.items()}
    async with database_of(settings) as database:
        await audit_service.record(database.unit_of_work(OPERATOR), AuditAction.AUDIT_EXPORTED, details)
        writer = _WRITERS[layout](sys.stdout)
        async for page in audit_service.read_entries(database.unit_of_work(OPERATOR), wanted):
            for row in page:
                writer(_facts(row))
    sys.stdout.flush()


def _facts(row: AuditRow) -> dict[str, Any]:
    """The entry for programs."""
    return {
        "id": str(row.id),
        "at": row.at.isoformat(),
        "lastAt": row.last_at.isoformat() if row.last_at is not None else None,
        "times": row.times,
        "action": row.action.value,
        "actorId": str(row.actor_id) if row.actor_id is not None else None,
        "actorName": row.actor_name,
        "ipAddress": row.ip_address,
        "subjectKind": row.subject_kind.value if row.subject_kind is not None else None,
        "subjectId": str(row.subject_id) if row.subject_id is not None else None,
        "subjectName": row.subject_name,
        "details": row.details,
    }


def _json_writer(target: TextIO) -> Writer:
    return lambda facts: print(json.dumps(facts, ensure_ascii=False), file=target)


def _csv_writer(target: TextIO) -> Writer:
    writer = csv.DictWriter(target, _FIELDS, lineterminator="\n")
    writer.writeheader()
    return lambda facts: writer.writerow(facts | {"details": json.dumps(facts["details"], ensure_ascii=False)})


def _table_writer(target: TextIO) -> Writer:
    print(_aligned(list(_WIDTHS)), file=target)
    return lambda facts: print(_aligned(_cells(facts)), file=target)


def _cells(facts: Facts) -> list[str]:
    subject = " ".join(facts[name] for name in ("subjectKind", "subjectName") if facts[name] is not None)
    details = " ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in facts["details"].items())
    actor, address = facts["actorName"] or "-", facts["ipAddress"] or "-"
    return [facts["at"], str(facts["times"]), facts["action"], actor, address, subject or "-", details]


def _aligned(cells: Sequence[str]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, _WIDTHS.values(), strict=True)).rstrip()


def _time(text: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(
            f"{option} needs a time such as 2026-12-31 or 2026-12-31T12:00, not {text[:40]!a}."
        ) from None
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


_WRITERS: Final[Mapping[Layout, Callable[[TextIO], Writer]]] = {
    Layout.TABLE: _table_writer,
    Layout.JSONL: _json_writer,
    Layout.CSV: _csv_writer,
}
