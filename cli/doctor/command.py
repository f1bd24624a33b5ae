"""`taskriver doctor`."""

import asyncio
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final

import typer

from cli.connections import FOLDER, database_url_of, redis_url_of
from cli.doctor import database, local, redis
from cli.doctor.finding import Finding, State, worst
from cli.errors import LOOK, REFUSED
from cli.output import AsJSON, answer, examples
from cli.settings import read_settings
from cli.table import Column, table
from persistence.database import Database
from server.errors import WrongSetting
from server.settings import Settings

EXAMPLES: Final = examples("taskriver doctor", "taskriver doctor --json || page-somebody")

_CODES: Final = {State.OK: 0, State.LOOK: LOOK, State.BAD: REFUSED}
_STYLES: Final = {State.OK.value: "green", State.LOOK.value: "yellow", State.BAD.value: "bold red"}
_LAST: Final = {
    State.OK: "All is well.",
    State.LOOK: "It works; what says look wants a look.",
    State.BAD: "Something is wrong; what says bad must be mended.",
}


def doctor(as_json: AsJSON = False) -> None:
    """Check settings, database, Redis and migrations.

    Looks at the settings of this environment and at the servers that they name, or at those of a `taskriver dev` that
    runs in this folder. Changes nothing. The exit code says the worst that was found: 0 ok, 3 look, 1 bad.
    """
    findings = asyncio.run(_look())
    state = worst(findings)
    answer(
        f"{_shown(findings)}\n{_LAST[state]}",
        {"worst": state.value, "findings": [asdict(each) for each in findings]},
        as_json=as_json,
    )
    raise typer.Exit(_CODES[state])


def _shown(findings: list[Finding]) -> str:
    """What to do stands below what was found, where there is no room beside it."""
    below, columns = sys.stdout.isatty(), [Column("what"), Column("state", styles=_STYLES), Column("found")]
    if below:
        told = [f"{each.told}\n→ {each.advice}" if each.advice else each.told for each in findings]
        return table(columns, [[each.name, each.state, line] for each, line in zip(findings, told, strict=True)])
    columns.append(Column("what to do"))
    return table(columns, [[each.name, each.state, each.told, each.advice] for each in findings])


async def _look() -> list[Finding]:
    try:
        settings = read_settings()
    except WrongSetting as error:
        return [Finding("settings", State.BAD, str(error), "docs/settings.md says what each of them is.")]
    findings, size = await _look_at_database(settings)
    return [
        local.settings(settings),
        local.secrets(settings),
        local.cookies(settings),
        *findings,
        await _look_at_redis(settings),
        local.disk(FOLDER if FOLDER.exists() else Path(), database_bytes=size),
    ]


async def _look_at_database(settings: Settings) -> tuple[list[Finding], int | None]:
    try:
        url = database_url_of(settings)
    except WrongSetting as error:
        return [Finding(database.NAME, State.BAD, str(error), "Set DATABASE_URL, or try `taskriver dev`.")], None
    connected = Database(url, pool_size=1)
    try:
        findings, server = await database.look(connected, settings)
    finally:
        await connected.close()
    return findings, server.size if server is not None else None


async def _look_at_redis(settings: Settings) -> Finding:
    try:
        return await redis.look(redis_url_of(settings))
    except WrongSetting as error:
        return Finding(redis.NAME, State.BAD, str(error), "Set REDIS_URL, or try `taskriver dev`.")
