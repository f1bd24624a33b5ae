"""Commands as they are typed: run in this process, where that makes no difference."""

import asyncio
import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from graphql_api.cli.commands import main
from persistence.engine import Database


@dataclass(frozen=True)
class Said:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def refusal(self) -> str:
        """The one line that it refused with."""
        assert self.out == ""
        assert self.err.startswith("taskriver: "), self.err
        assert self.err.count("\n") == 1
        return self.err.removeprefix("taskriver: ").rstrip("\n")


Run = Callable[..., Said]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs a command in an empty folder, with these settings and no others."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, told: bytes = b"", **settings: str) -> Said:
        with monkeypatch.context() as here:
            here.setattr(sys, "argv", ["taskriver", *arguments])
            here.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(told)))
            for name, value in ({"BCRYPT_ROUNDS": "4"} | settings).items():
                here.setenv(name, value)
            capfd.readouterr()
            try:
                main()
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else 0
        said = capfd.readouterr()
        return Said(code, said.out, said.err)

    return run


@pytest.fixture(scope="module")
def database_url(new_database: Callable[[], str]) -> str:
    """A migrated database that the commands of a module share."""
    return new_database()


@pytest.fixture
def ask(database_url: str) -> Callable[[Callable[[Database], Any]], Any]:
    """Asks the database behind the commands' backs."""

    def ask(question: Callable[[Database], Any]) -> Any:
        async def answer() -> Any:
            database = Database(database_url, pool_size=1)
            try:
                return await question(database)
            finally:
                await database.close()

        return asyncio.run(answer())

    return ask
