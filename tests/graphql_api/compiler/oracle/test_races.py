"""Two mutations at the same time: what comes of them is what comes of one after the other, in one of both orders."""

import asyncio
import os
from dataclasses import replace
from typing import Any

import pytest

from persistence.row_locks import RowLock
from persistence.unit_of_work import UnitOfWork
from tests.graphql_api.compiler.oracle.executor_pair import ExecutorPair
from tests.graphql_api.compiler.oracle.outcome import Run, outcome
from tests.graphql_api.compiler.oracle.races import OTHER_WORDS, Races, Side
from tests.graphql_api.compiler.oracle.situation import global_id

RACES = int(os.environ.get("ORACLE_DOCUMENTS", "1000")) * 7 // 100
PARTS = 1 if RACES <= 70 else 4


@pytest.mark.timeout(900 + 4 * RACES)
@pytest.mark.parametrize("part", range(PARTS))
async def test_a_race_ends_as_one_of_both_orders(executor_pair: ExecutorPair, part: int):
    """Two concurrent compiled mutations have the responses, rows and events of one order in the general executor."""
    for seed in range(part * RACES // PARTS, (part + 1) * RACES // PARTS):
        situation = executor_pair.situation(seed)
        cases = Races(situation, seed).pair()
        raced = outcome(
            in_words_of_an_order(await executor_pair.race(executor_pair.compiled, situation, cases)),
            situation,
            ranked=False,
        )
        orders = await executor_pair.orders(executor_pair.general, situation, cases)
        expected = [outcome(each, situation, ranked=False) for each in orders]
        assert raced in expected, (seed, [raced.differences(each) for each in expected], raced, expected)

    assert executor_pair.plans.general_count == 0


def in_words_of_an_order(run: Run) -> Run:
    """The run, with messages that only a race has replaced by those of an order."""
    return replace(run, bodies=tuple(_in_words_of_an_order(body) for body in run.bodies))


def _in_words_of_an_order(body: bytes) -> bytes:
    for raced, ordered in OTHER_WORDS.items():
        body = body.replace(raced, ordered)
    return body


async def test_a_lost_update_is_noticed(executor_pair: ExecutorPair, monkeypatch: pytest.MonkeyPatch):
    """Without the row's lock, two changes that have both read the task before either is made are no order."""
    task = global_id("Task", "todo")
    edit = Side("owner", "updateTask", {"id": task, "title": "Another"})
    assign = Side("owner", "assignTask", {"id": task, "assigneeId": global_id("User", "outsider")})
    situation = executor_pair.situation(0)
    cases = edit.case(0), assign.case(0)
    expected = [
        outcome(each, situation, ranked=False)
        for each in await executor_pair.orders(executor_pair.general, situation, cases)
    ]
    have_read = asyncio.Barrier(2)

    async def unlocked(self: UnitOfWork, *locks: RowLock, then_commits: bool = False) -> list[Any]:
        await self.transaction.begin()
        task = await self.tasks.find(locks[0].id)
        await have_read.wait()
        assert task is not None
        return [task, *[await self.users.find(lock.id) for lock in locks[1:]]]

    monkeypatch.setattr(UnitOfWork, "lock", unlocked)
    assert (
        outcome(await executor_pair.race(executor_pair.compiled, situation, cases), situation, ranked=False)
        not in expected
    )
