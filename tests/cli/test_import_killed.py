"""A killed `taskriver import`. It has its own module and database, because it leaves many rows."""

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from persistence.database import Database
from tests.cli.conftest import Run
from tests.support.processes import Command, environment

# The import waits in the middle until it is killed.
_STOP = """
CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(3600); RETURN NEW; END $$;
CREATE TRIGGER stop BEFORE INSERT ON tasks FOR EACH ROW WHEN (NEW.title = 'Number 4000') EXECUTE FUNCTION stop();
"""
_STOPPED = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
_END = _STOPPED.replace("count(*)", "pg_terminate_backend(pid, 60000)")


@pytest.mark.usefixtures("users")
def test_a_killed_import_can_be_repeated(database_url: str, run: Run, ask: Any, tmp_path: Path):
    """Nothing is lost, and nothing is created twice."""
    lines = [json.dumps({"id": f"K-{number}", "title": f"Number {number}"}) + "\n" for number in range(8_000)]
    (tmp_path / "many.jsonl").write_text("".join(lines))
    ask(_stop)
    known = environment(DATABASE_URL=database_url)
    first = Command("import", "many.jsonl", "--as", "alice", folder=tmp_path, environment=known)
    try:
        while not ask(_stopped):
            time.sleep(0.05)
        first.send(signal.SIGKILL)
        assert first.ends() == -signal.SIGKILL
    finally:
        first.clean_up()
    ask(_go_on)
    some = ask(_count)[0]
    again = json.loads(run("import", "many.jsonl", "--as", "alice", "--json", DATABASE_URL=database_url).out)

    assert 0 < some < 8_000
    assert (again["created"], again["known"], again["bad"]) == (8_000 - some, some, 0)
    assert ask(_count) == (8_000, 8_000)


async def _stop(database: Database) -> None:
    async with database.engine.begin() as connection:
        for statement in _STOP.strip().splitlines():
            await connection.exec_driver_sql(statement)


async def _stopped(database: Database) -> bool:
    async with database.connect() as connection:
        return bool((await connection.exec_driver_sql(_STOPPED)).scalar_one())


async def _go_on(database: Database) -> None:
    """End the session that the killed import has left in the middle of a transaction."""
    async with database.engine.begin() as connection:
        await connection.exec_driver_sql(_END)
    async with database.engine.begin() as connection:
        await connection.exec_driver_sql("DROP TRIGGER stop ON tasks")


async def _count(database: Database) -> tuple[int, int]:
    async with database.connect() as connection:
        counts = "SELECT (SELECT count(*) FROM tasks), (SELECT count(*) FROM events)"
        tasks, events = tuple((await connection.exec_driver_sql(counts)).one())
        return tasks, events
