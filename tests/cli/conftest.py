"""Runs commands in this process where that makes no difference."""

import asyncio
import io
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.commands import main
from cli.stored_sessions import store
from domain.user import Role
from persistence.database import Database
from tests.support.api_server import settings_of
from tests.support.builders import Builders
from tests.support.executors import a_server
from tests.support.threads import served_by_thread
from tests.support.waiting import HANG_SECONDS


@dataclass(frozen=True)
class CommandResult:
    """The output of a command, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def refusal(self) -> str:
        """The one line of its error message."""
        assert self.out == ""
        assert self.err.startswith("taskriver: "), self.err
        assert self.err.count("\n") == 1
        return self.err.removeprefix("taskriver: ").rstrip("\n")


Run = Callable[..., CommandResult]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run a command in an empty folder, with these settings only."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, stdin: bytes = b"", **settings: str) -> CommandResult:
        with monkeypatch.context() as here:
            here.setattr(sys, "argv", ["taskriver", *arguments])
            here.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
            known = {"BCRYPT_ROUNDS": "4", store.VARIABLE: str(tmp_path / "config" / "tokens.json")}
            for name, value in (known | settings).items():
                here.setenv(name, value)
            capfd.readouterr()
            try:
                main()
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else 0
        result = capfd.readouterr()
        return CommandResult(code, result.out, result.err)

    return run


@pytest.fixture(scope="module")
def database_url(new_database: Callable[[], str]) -> str:
    """A migrated database that the commands of a module share."""
    return new_database()


@pytest.fixture
def look(run: Run, database_url: str, redis_url: str) -> Any:
    """Run it: the exit code, and state and text by name."""

    def look(**settings: str) -> tuple[int, dict[str, tuple[str, str]]]:
        result = run("doctor", "--json", **({"DATABASE_URL": database_url, "REDIS_URL": redis_url} | settings))
        assert "hunter2" not in result.out + result.err
        report = json.loads(result.out)
        found = {each["name"]: (each["state"], f"{each['told']} {each['advice']}") for each in report["findings"]}
        worst = {0: "ok", 3: "look", 1: "bad"}[result.code]
        assert report["worst"] == worst
        assert worst in {state for state, _ in found.values()}
        return result.code, found

    return look


@pytest.fixture(scope="module")
def served(database_url: str, new_redis: Callable[[], str]) -> Iterator[str]:
    """The URL of a server on that database, on a loopback port, in its own thread."""
    # Redis is there; on a busy machine an answer may be late without its being away.
    app = a_server(settings_of(database_url, new_redis()), rate_limit_timeout=HANG_SECONDS).asgi()
    with served_by_thread(app) as url:
        yield url


@pytest.fixture
def ask(database_url: str) -> Callable[[Callable[[Database], Any]], Any]:
    """Reads the database directly."""

    def ask(question: Callable[[Database], Any]) -> Any:
        async def answer() -> Any:
            database = Database(database_url, pool_size=1)
            try:
                return await question(database)
            finally:
                await database.close()

        return asyncio.run(answer())

    return ask


@pytest.fixture
def users(ask: Any) -> None:
    """An admin, two users, and a disabled user."""

    async def make(database: Database) -> None:
        await Builders.clear(database)
        build = Builders(database)
        await build.a_user(Role.ADMIN, username="root")
        await build.a_user(username="alice")
        await build.a_user(username="bob")
        await build.a_user(username="gone", is_active=False)

    ask(make)


@pytest.fixture
def import_file(run: Run, database_url: str, tmp_path: Path) -> Any:
    """Imports lines of JSON, or a text, as alice by default."""

    def import_file(lines: list[Any] | str | bytes, *options: str, name: str = "tasks.jsonl") -> CommandResult:
        text = lines if isinstance(lines, str | bytes) else "".join(json.dumps(line) + "\n" for line in lines)
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        target = () if "--as" in options else ("--as", "alice")
        return run("import", name, *target, *options, DATABASE_URL=database_url)

    return import_file


@pytest.fixture
def export_file(run: Run, database_url: str) -> Any:
    """Exports to standard output: the records and the last line."""

    def export_file(username: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        result = run("export", "--as", username, DATABASE_URL=database_url)
        assert result.code == 0, result
        *records, last = (json.loads(line) for line in result.out.splitlines())
        return records, last

    return export_file
