"""`taskriver doctor`."""

import asyncio
import sys
from pathlib import Path
from typing import Final

import typer

from cli.connections import FOLDER, database_url_of, redis_url_of
from cli.doctor import database, local, mail, redis
from cli.doctor.finding import CheckResult, CheckState, worst
from cli.errors import REFUSED, WARNING
from cli.output import AsJSON, examples, print_result
from cli.settings import read_settings
from cli.table import Column, table
from persistence.database import Database
from server.errors import WrongSetting
from server.settings import Settings

EXAMPLES: Final = examples("taskriver doctor", "taskriver doctor --json || send-alert")

_CODES: Final = {CheckState.OK: 0, CheckState.WARNING: WARNING, CheckState.BAD: REFUSED}
_STYLES: Final = {CheckState.OK.value: "green", CheckState.WARNING.value: "yellow", CheckState.BAD.value: "bold red"}
_SUMMARY: Final = {
    CheckState.OK: "All checks passed.",
    CheckState.WARNING: "The server can run. Check the lines with the state look.",
    CheckState.BAD: "There are problems. Fix the lines with the state bad.",
}


def doctor(as_json: AsJSON = False) -> None:
    """Check settings, database, Redis and migrations.

    Checks the settings of this environment and the servers that they name, also the mail server, or those of a
    `taskriver dev` that runs in this folder. Changes nothing. The exit code is that of the worst state: 0 ok, 3 look (a
    warning), 1 bad (a failure).
    """
    findings = asyncio.run(_run_checks())
    state = worst(findings)
    print_result(
        f"{_shown(findings)}\n{_SUMMARY[state]}",
        {"worst": state.value, "findings": [each.to_json() for each in findings]},
        as_json=as_json,
    )
    raise typer.Exit(_CODES[state])


def _shown(findings: list[CheckResult]) -> str:
    """The table. On a terminal the advice is below the finding; in a pipe it has its own column."""
    below, columns = sys.stdout.isatty(), [Column("what"), Column("state", styles=_STYLES), Column("found")]
    if below:
        detail = [f"{each.detail}\n→ {each.advice}" if each.advice else each.detail for each in findings]
        return table(columns, [[each.name, each.state, line] for each, line in zip(findings, detail, strict=True)])
    columns.append(Column("what to do"))
    return table(columns, [[each.name, each.state, each.detail, each.advice] for each in findings])


async def _run_checks() -> list[CheckResult]:
    try:
        settings = read_settings()
    except WrongSetting as error:
        return [CheckResult("settings", CheckState.BAD, str(error), "docs/settings.md explains each setting.")]
    findings, size = await _check_database(settings)
    return [
        local.settings(settings),
        local.secrets(settings),
        local.cookies(settings),
        *findings,
        *await _check_redis(settings),
        *([await mail.server(settings)] if settings.smtp_host is not None else []),
        local.disk(FOLDER if FOLDER.exists() else Path(), database_bytes=size),
    ]


async def _check_database(settings: Settings) -> tuple[list[CheckResult], int | None]:
    try:
        url = database_url_of(settings)
    except WrongSetting as error:
        return [
            CheckResult(database.NAME, CheckState.BAD, str(error), "Set DATABASE_URL, or use `taskriver dev`.")
        ], None
    connected = Database(url, pool_size=1, pooler=settings.database_pooler)
    try:
        findings, server = await database.check(connected, settings)
        is_usable = all(each.state is not CheckState.BAD for each in findings)
        waiting = await mail.queue(connected) if settings.sends_mail and is_usable else None
    finally:
        await connected.close()
    if waiting is not None:
        findings.append(waiting)
    return findings, server.size if server is not None else None


async def _check_redis(settings: Settings) -> list[CheckResult]:
    try:
        return await redis.check(redis_url_of(settings))
    except WrongSetting as error:
        return [CheckResult(redis.NAME, CheckState.BAD, str(error), "Set REDIS_URL, or use `taskriver dev`.")]
