"""PostgreSQL stops and returns: requests fail fast meanwhile, and streams continue."""

import asyncio
import time
from dataclasses import dataclass
from uuid import UUID

import httpx

from domain.events import AccessEvent, LoggedEvent, TaskEvent
from domain.user import Role
from tests.chaos.latency import SteadyWriter, steady_writes
from tests.chaos.stack import PASSWORD, Stack
from tests.support.figures import Figures
from tests.support.waiting import HANG_SECONDS
from verification.client.account import Account
from verification.client.http import Api
from verification.client.writer import TaskWriter
from verification.history import History
from verification.history_check import check_history
from verification.report import Report


@dataclass(frozen=True)
class Answer:
    """The start and the duration of a request, and its result: "good", or the status and the code."""

    asked: float
    seconds: float
    what: str


async def ask_all_the_time(url: str, token: str, answers: list[Answer]) -> None:
    """Read the user's tasks until cancelled."""
    query = {"query": "{ tasks(first: 1) { nodes { id } } }"}
    async with httpx.AsyncClient(timeout=HANG_SECONDS, headers={"authorization": f"Bearer {token}"}) as client:
        while True:
            asked = time.monotonic()
            response = await client.post(url, json=query)
            answers.append(Answer(asked, time.monotonic() - asked, _what(response)))
            await asyncio.sleep(0.01)


def _actor(logged: LoggedEvent) -> UUID | None:
    return logged.event.actor_id if isinstance(logged.event, TaskEvent | AccessEvent) else None


async def good_again(answers: list[Answer], since: float, *, many: int) -> None:
    """Wait until the latest requests succeed."""
    async with asyncio.timeout(HANG_SECONDS):
        while len(answers) < many or not all(each.asked > since and each.what == "good" for each in answers[-many:]):
            await asyncio.sleep(0.01)


async def checked(stack: Stack, steady: SteadyWriter) -> Report:
    """The report of the checker about a single writer."""
    listener = steady.recorder.listener
    log = [logged for logged in await stack.log() if _actor(logged) == listener.user_id]
    final = [facts for facts in await stack.tasks() if facts.owner_id == listener.user_id]
    roles = {listener.user_id: {1: Role.USER}}
    return check_history(History(steady.writer.writes, log, [listener], roles, final, whole=False))


def _what(response: httpx.Response) -> str:
    body = response.json()
    if "errors" not in body:
        return "good"
    return f"{response.status_code} {body['errors'][0]['extensions']['code']}"


async def test_a_restart_of_postgresql(stack: Stack, figures: Figures):
    """Requests get UNAVAILABLE (503), never a 500; afterwards they succeed, and no event or connection is lost."""
    answers: list[Answer] = []
    async with steady_writes(stack, "restart") as steady:
        token = await stack.account("restart").token()
        asking = [asyncio.create_task(ask_all_the_time(process.api.url, token, answers)) for process in stack.processes]
        await steady.stretch(0.3)
        gone = time.monotonic()
        await asyncio.to_thread(stack.postgres.stop, "immediate")
        await asyncio.sleep(0.5)
        await asyncio.to_thread(stack.postgres.start)
        back = time.monotonic()
        await good_again(answers, back, many=20)
        await steady.stretch(0.3)
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
    listener = steady.recorder.listener
    report = await checked(stack, steady)
    bad = [answer for answer in answers if answer.what != "good"]
    first_good = min(
        answer.asked + answer.seconds for answer in answers if answer.what == "good" and answer.asked > back
    )
    last_bad = max((answer.asked + answer.seconds for answer in bad), default=gone)
    slowest = max(answer.seconds for answer in answers)
    figures.note(
        f"PostgreSQL restarted: {len(bad)} of {len(answers)} requests refused, all of them"
        f" {', '.join(sorted({answer.what for answer in bad}))}; slowest {slowest:.2f} s; good again"
        f" {1000 * (first_good - back):.0f} ms, never bad any more {1000 * max(0, last_bad - back):.0f} ms after it was"
        f" back; {report.line()}; connections of the listener: {len(listener.connections)}"
    )

    # With 200 where the answer is one of GraphQL over plain JSON, whose errors have no status of their own.
    assert {answer.what for answer in bad} <= {"503 UNAVAILABLE", "200 UNAVAILABLE"}
    assert set(steady.writer.failures) <= {"UNAVAILABLE"}
    assert report.findings == []
    assert len(listener.connections) == 1


async def test_a_process_without_postgresql(stack: Stack, figures: Figures):
    """A process whose packets to PostgreSQL are dropped refuses requests, and recovers with the connection."""
    user = await stack.a_user("cut.off")
    api = Api(stack.processes[0].api.url, timeout=HANG_SECONDS)
    account = Account(lambda: api, user.username, PASSWORD)
    writer = TaskWriter(account, user.username)
    task = await writer.create()
    assert task is not None
    stack.database_wire.stall()
    try:
        asked = time.monotonic()
        refused = await asyncio.gather(*(writer.edit(task) for _ in range(5)))
        seconds = time.monotonic() - asked
    finally:
        stack.database_wire.cut()
        stack.database_wire.flow()
    asked = time.monotonic()
    async with asyncio.timeout(HANG_SECONDS):
        while await writer.edit(task) is None:
            await asyncio.sleep(0.02)
    figures.note(
        f"cut off from PostgreSQL: refused within {seconds:.1f} s, good again {time.monotonic() - asked:.2f} s after"
    )

    assert refused == [None] * 5
    assert writer.failures.keys() <= {"UNAVAILABLE"}
