"""docs/architecture.md lists the files of a mutation and of a delivery, and these are the files whose code runs."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import cycle
from typing import Any
from urllib.parse import urlsplit

import pytest

from domain.task import TaskStatus
from persistence.group_commit import TASK_NAME
from services import task as task_service
from tests.graphql_api.stream_client import signed_in
from tests.graphql_api.test_tasks import task_id
from tests.project_rules.request_paths import ROOT, Tasks, Trace, traced
from tests.support.api import Api
from tests.support.api_server import an_api

DOCUMENT = (ROOT / "docs" / "architecture.md").read_text()
MAX_MUTATION_FILES = 25
MAX_DELIVERY_PACKAGES = 3
SHARED = (
    "server/",
    "asgi/",
    "observability/",
    "streaming/",
    *(f"graphql_api/{part}" for part in ("transports/", "execution/", "compiler/", "auth/", "context.py")),
)
"""What every operation runs, whatever it asks for, and the stream, whose path is listed by itself."""
FOUNDATION = {"domain", "persistence", "observability"}

STATUS = "mutation ($input: UpdateTaskStatusInput!) { updateTaskStatus(input: $input) { task { id status } } }"
MOVES = "subscription { taskStatusChanged { cursor ... on TaskStatusChanged { to task { id status } } } }"
STATUSES = (TaskStatus.IN_PROGRESS, TaskStatus.DONE, TaskStatus.TODO)
WARM_UP = 3
MIN_STEPS = 5
MAX_STEPS = 200


@pytest.fixture(scope="module")
async def api(new_database: Callable[[], str], new_redis: Callable[[], str]) -> AsyncIterator[Api]:
    """The API with limits of writes, as users run it."""
    limits = {"writes_per_user": 10**6, "writes_per_token": 10**6}
    async with an_api(new_database(), new_redis(), limits) as api:
        yield api


def documented(title: str) -> set[str]:
    """The files that a section lists."""
    section = DOCUMENT.partition(f"## {title}\n")[2].partition("\n## ")[0]
    return set(re.findall(r"^- `([a-z0-9_/]+\.py)`", section, re.MULTILINE))


def all_files() -> set[str]:
    """The files of the repository."""
    return {str(path.relative_to(ROOT)) for path in ROOT.rglob("*.py") if ".venv" not in path.parts}


async def check_path(title: str, step: Callable[[TaskStatus, Trace], Awaitable[Tasks]]) -> None:
    """What every step runs is listed, and some step runs what is listed.

    Only some steps run what is done for several requests together, such as writing the log, and timers of the server.
    Requests that are answered directly do not run all layers.
    """
    listed = documented(title)
    always, ever = all_files(), set[str]()
    for number, status in zip(range(MAX_STEPS), cycle(STATUSES), strict=False):
        with traced() as trace:
            ignored = await step(status, trace)
        if number >= WARM_UP:
            files = trace.product(without=ignored)
            always, ever = always & files, ever | files
        if number >= WARM_UP + MIN_STEPS and listed <= ever:
            break
    assert always <= listed <= ever, f"not listed: {sorted(always - listed)}; not run: {sorted(listed - ever)}"


async def ask_at_once(live: Api, token: str, query: str, **variables: Any) -> bytes:
    """The response to a request that is sent with one write, so that it can be answered directly."""
    url = urlsplit(str(live.client.base_url))
    body = json.dumps({"query": query, "variables": variables}).encode()
    fields = f"Host: a\r\nContent-Type: application/json\r\nAuthorization: Bearer {token}\r\n"
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    writer.write(f"POST /graphql HTTP/1.1\r\n{fields}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    assert length is not None
    answer = await reader.readexactly(int(length[1]))
    writer.close()
    return answer


async def test_the_path_of_a_mutation(live: Api):
    """All tasks that exist before a request, such as those of the stream, do not belong to it.

    Every second request goes through all layers, because of its unusual header.
    """
    user = await live.a_user()
    task, token, at_once = await live.build.a_task(user), await live.token(user), cycle([False, True])

    async def move(status: TaskStatus, trace: Trace) -> Tasks:
        earlier = asyncio.all_tasks()
        change = {"id": task_id(task), "status": status.name}
        if next(at_once):
            assert status.name.encode() in await ask_at_once(live, token, STATUS, input=change)
        else:
            answer = await live.ask(STATUS, token, headers={"x-unusual": "1"}, input=change)
            assert answer.data["updateTaskStatus"]["task"]["status"] == status.name
        return earlier

    await check_path("Path of a mutation", move)


async def test_the_path_of_an_event(live: Api):
    """The tasks that change the status do not belong to the delivery: this test, and the writer of the change."""
    user = await live.a_user()
    task = await live.build.a_task(user)
    async with signed_in(live, user) as subscriber:
        await subscriber.listen(MOVES)

        async def deliver(status: TaskStatus, trace: Trace) -> Tasks:
            await task_service.update_task_status(live.build.as_(user), task_id=task.id, status=status)
            assert (await subscriber.receive())["to"] == status.name
            current = asyncio.current_task()
            return trace.named(TASK_NAME) | ({current} if current else set())

        await check_path("Path of an event", deliver)


def test_a_mutation_involves_few_files():
    """Besides the code that serves and executes every operation, and the stream."""
    files = {path for path in documented("Path of a mutation") if not path.startswith(SHARED)}
    assert 10 < len(files) <= MAX_MUTATION_FILES


def test_a_delivery_involves_few_packages():
    """Besides those that everything is built on."""
    packages = {path.partition("/")[0] for path in documented("Path of an event")}
    assert "streaming" in packages
    assert len(packages - FOUNDATION) <= MAX_DELIVERY_PACKAGES, packages
