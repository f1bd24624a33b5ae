"""`examples/python`, as a person at a terminal uses it, against a server behind a wire."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from domain.project import ProjectRole
from graphql_api.auth.passwords import Passwords
from tests.examples.environment import Stage
from tests.support.waiting import HANG_SECONDS

EXAMPLES = Path(__file__).parents[2] / "examples"
LOCK = EXAMPLES.parent / "requirements-dev.lock"
PASSWORD = "Taskriver-1"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The example as a module; the helper lies beside it, as if it had been copied."""
    monkeypatch.syspath_prepend(EXAMPLES / "resumable")
    monkeypatch.syspath_prepend(EXAMPLES / "python")
    return import_module("tasks")


@pytest.fixture
async def someone(stage: Stage) -> str:
    """A user with a password and a task."""
    stage.user = await stage.build.a_user(password_hash=await Passwords(rounds=4).hash(PASSWORD))
    stage.task = await stage.build.a_task(stage.user, title="Move me")
    return stage.user.username


@asynccontextmanager
async def program(stage: Stage, username: str, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The example in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        EXAMPLES / "python" / "tasks.py",
        *("--url", stage.url, "--user", username, "--password", PASSWORD, *arguments),
        env=os.environ | {"PYTHONPATH": str(EXAMPLES / "resumable")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def run(stage: Stage, username: str, *arguments: str) -> tuple[str, str]:
    """What it prints, and what it complains of."""
    async with program(stage, username, *arguments) as process, asyncio.timeout(HANG_SECONDS):
        out, complaint = await process.communicate()
    return out.decode(), complaint.decode()


async def test_it_lists_every_page(stage: Stage, someone: str):
    """All tasks are printed, though a page has 50."""
    for number in range(60):
        await stage.build.a_task(stage.user, title=f"Task {number}")

    out, complaint = await run(stage, someone, "list")

    assert len(out.splitlines()) == 61
    assert complaint == ""


async def test_it_moves_a_task_or_prints_the_refusal(stage: Stage, someone: str):
    """The refusal of the server is on the error output."""
    [line] = (await run(stage, someone, "list"))[0].splitlines()
    task_id = line.split()[0]

    assert await run(stage, someone, "move", task_id, "CANCELLED") == ("Move me is CANCELLED.\n", "")
    out, complaint = await run(stage, someone, "move", task_id, "DONE")
    assert (out, complaint) == ("", "A task cannot go from CANCELLED to DONE; from here it can go to TODO.\n")
    assert "not an id of this API" in (await run(stage, someone, "move", "nonsense", "DONE"))[1]


async def test_it_lists_the_tasks_of_a_project(stage: Stage, someone: str):
    """With their keys; without a project it lists all tasks."""
    project = await stage.build.a_project((stage.user, ProjectRole.MEMBER), name="A team")
    await stage.build.a_task(stage.user, title="Ours", project_id=project.id, number=1)

    [line] = (await run(stage, someone, "list", "--project", project.key.lower()))[0].splitlines()
    assert line.split()[1:] == ["TODO", f"{project.key}-1", "Ours"]
    assert len((await run(stage, someone, "list"))[0].splitlines()) == 2
    refused = "There is no project NONE, or you are not a member of it.\n"
    assert await run(stage, someone, "list", "--project", "NONE") == ("", refused)


async def test_a_wrong_password_is_reported(stage: Stage, someone: str):
    """In one line."""
    _, complaint = await run(stage, someone, "--password", "wrong", "list")

    assert complaint == "Wrong username or password.\n"


async def test_watching_has_no_gaps(stage: Stage, someone: str):
    """With two disconnects every move is printed once and in order."""
    async with program(stage, someone, "watch") as process, asyncio.timeout(HANG_SECONDS):
        assert process.stdout is not None
        while not (await process.stdout.readline()).startswith(b"Watching"):
            pass
        await stage.connected()
        for _ in range(3):
            await stage.move(2)
            stage.proxy.target, target = None, stage.proxy.target
            stage.proxy.cut()
            await stage.move(2)
            stage.proxy.target = target
        lines = [(await process.stdout.readline()).decode() for _ in stage.moves]

    assert [re.findall(r"→ (\w+)  Move me  ", line) for line in lines] == [[move] for move in stage.moves]


async def test_concurrent_requests_renew_the_token_once(example: Any, stage: Stage, someone: str):
    """An expired token is renewed once for all waiting requests, and later again."""
    sent: list[str] = []

    class Counted(example.Account):  # type: ignore[misc] # loaded by its path
        async def _send(self, query: str, variables: dict[str, Any], token: str = "") -> Any:
            sent.append(query)
            return await super()._send(query, variables, token)

    account = Counted(stage.url, someone, PASSWORD)
    await account.ask("{ me { id } }")
    for _ in range(2):
        account.token = stage.server.tokens.issue(stage.user.id, uuid4(), datetime.now(UTC) - timedelta(hours=1)).token
        answers = await asyncio.gather(*(account.ask("{ me { username } }") for _ in range(5)))
        assert {answer["me"]["username"] for answer in answers} == {someone}

    assert (sent.count(example.LOGIN), sent.count(example.REFRESH)) == (1, 2)


def test_requirements_are_pinned():
    """To the versions of this run."""
    pins = [line for line in (EXAMPLES / "python" / "requirements.txt").read_text().splitlines() if line[0] != "#"]
    locked = LOCK.read_text()

    assert any(pin.startswith("gql==") for pin in pins)
    assert [pin for pin in pins if f"{pin} \\" not in locked] == []
