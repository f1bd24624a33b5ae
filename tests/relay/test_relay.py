"""Relay's compiler and runtime against a server; `make relay` installs them, and runs this."""

import asyncio
import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path

from domain.task import TaskPriority, TaskStatus
from domain.user import Role
from graphql_api.schema.ids import encode_id
from services.task import update_task_status
from tests.support.api import Api
from tests.support.api_server import an_api
from tests.support.serving import serving

FOLDER = Path(__file__).parent
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
MANY = 25


def compile_fragments() -> None:
    """Have the documents below src checked against the schema, and compiled for the runtime."""
    (FOLDER / "src/__generated__").mkdir(exist_ok=True)
    compiler = subprocess.run(
        ["node_modules/.bin/relay-compiler"], cwd=FOLDER, capture_output=True, text=True, check=False
    )
    assert compiler.returncode == 0, compiler.stdout + compiler.stderr


async def fill(api: Api) -> tuple[str, str]:
    """Users, tasks with ties and without due dates, and a history; returns an admin's token and the task's id."""
    admin = await api.a_user(Role.ADMIN)
    for number in range(MANY):
        user = await api.a_user(created_at=NOON + timedelta(hours=number % 4))
        task = await api.build.a_task(
            user,
            priority=list(TaskPriority)[number % 4],
            due_at=None if number % 3 == 0 else NOON + timedelta(days=number % 5),
            created_at=NOON + timedelta(hours=number % 6),
            updated_at=NOON + timedelta(hours=number % 7),
        )
    for status in islice(cycle((TaskStatus.IN_PROGRESS, TaskStatus.TODO)), MANY):
        await update_task_status(api.build.as_(admin), task_id=task.id, status=status)
    await api.numbered()
    return await api.token(admin), encode_id("Task", task.id)


async def test_relay_pages_in_both_directions(new_database: Callable[[], str], redis_url: str):
    """All connections are refetched and paged by the runtime from the middle to both ends."""
    compile_fragments()
    async with an_api(new_database(), redis_url) as api, serving(api.server.asgi()) as url:
        token, task = await fill(api)
        given = {"RELAY_URL": f"{url}/graphql", "RELAY_TOKEN": token, "RELAY_TASK": task}
        node = await asyncio.create_subprocess_exec(
            *("node", "--test", "--test-reporter=spec", "pagination.test.mjs"),
            cwd=FOLDER,
            env=os.environ | given,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await node.communicate()
    assert node.returncode == 0, output.decode()
