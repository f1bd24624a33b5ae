"""Requests of many users at the same time, each of whom knows what the answers must be."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from persistence.database import Database
from persistence.models import UserRow
from persistence.pooler import Pooler
from tests.graphql_api.test_tasks import CREATE, DELETE, STATUS, TASK, UPDATE
from tests.support.api import Api
from tests.support.api_server import an_api
from tests.support.builders import Builders

MINE: Final = "{ tasks(first: 20) { totalCount edges { node { title owner { username } } } } }"
SEARCH: Final = "query ($text: String) { tasks(first: 5, filter: {search: $text}) { edges { node { title } } } }"
_numbers: Final = count()


@dataclass
class Traffic:
    """What was sent, and what was wrong with the answers."""

    sent: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Which part of the requests failed."""
        return len(self.wrong) / self.sent


@asynccontextmanager
async def behind(pooled: str, direct: str, redis_url: str, kind: Pooler) -> AsyncIterator[Api]:
    """An API whose requests go through a pooler. Its builders do not."""
    database = Database(direct, pool_size=2)
    async with an_api(pooled, redis_url, {"database_pooler": kind}) as api:
        api.build = Builders(database)
        yield api
    await database.close()


async def send(api: Api, users: int, rounds: int) -> Traffic:
    """Let new users work at the same time."""
    return await send_as(api, [await api.a_user() for _ in range(users)], rounds)


async def send_as(api: Api, users: list[UserRow], rounds: int) -> Traffic:
    """Let these users work at the same time."""
    traffic = Traffic()
    for user in users:
        await api.token(user)
    await asyncio.gather(*(_work(api, user, traffic, rounds) for user in users))
    return traffic


async def _work(api: Api, user: UserRow, traffic: Traffic, rounds: int) -> None:
    for _ in range(rounds):
        title = f"Task{next(_numbers)}"
        made = await _ask(traffic, api, CREATE, user, input={"title": title})
        task_id = _found(made, "createTask", "task", "id")
        if task_id is None:
            continue
        await _ask(traffic, api, STATUS, user, input={"id": task_id, "status": "IN_PROGRESS"})
        await _ask(traffic, api, UPDATE, user, input={"id": task_id, "description": title})
        read = await _ask(traffic, api, TASK, user, id=task_id)
        _check(traffic, _found(read, "task", "title"), title)
        mine = await _ask(traffic, api, MINE, user)
        edges = _found(mine, "tasks", "edges") or []
        _check(traffic, {edge["node"]["owner"]["username"] for edge in edges}, {user.username})
        found = await _ask(traffic, api, SEARCH, user, text=title)
        _check(traffic, [edge["node"]["title"] for edge in _found(found, "tasks", "edges") or []], [title])
        gone = await _ask(traffic, api, DELETE, user, input={"id": task_id})
        _check(traffic, _found(gone, "deleteTask", "deletedTaskId"), task_id)


async def _ask(traffic: Traffic, api: Api, query: str, user: UserRow, **variables: Any) -> dict[str, Any] | None:
    """The data; None if there is an error."""
    traffic.sent += 1
    answer = await api.ask(query, user, **variables)
    if answer.http.status_code != 200 or "errors" in answer.body:
        traffic.wrong.append(f"{answer.http.status_code} {answer.codes}")
        return None
    data: dict[str, Any] = answer.body["data"]
    return data


def _found(data: dict[str, Any] | None, *path: str) -> Any:
    value: Any = data
    for name in path:
        value = value[name] if value is not None else None
    return value


def _check(traffic: Traffic, found: object, expected: object) -> None:
    """Note a wrong answer. A missing one is an error that was noted already."""
    if found and found != expected:
        traffic.wrong.append(f"{found} instead of {expected}")
