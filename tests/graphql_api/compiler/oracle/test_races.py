"""Two mutations at the same time: what comes of them is what comes of one after the other, in one of both orders."""

import asyncio
import os
from dataclasses import replace

import pytest

from persistence import group_commit
from persistence.group_commit import GroupCommit
from persistence.transaction import Transaction
from persistence.write_set import WriteSet, send
from tests.graphql_api.compiler.oracle.executor_pair import ExecutorPair
from tests.graphql_api.compiler.oracle.outcome import Run, outcome
from tests.graphql_api.compiler.oracle.races import OTHER_WORDS, Races, Side
from tests.graphql_api.compiler.oracle.situation import global_id
from tests.support.amount import cases as generated

RACES = int(os.environ.get("ORACLE_DOCUMENTS", generated(1000))) * 7 // 100
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
    """Without the check of versions, two changes that have both read the task before either is made are no order."""
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

    async def write_unchecked(transaction: Transaction, write_set: WriteSet, versions: object) -> None:
        await have_read.wait()
        await send(transaction, write_set)

    monkeypatch.setattr(group_commit, "send", write_unchecked)
    monkeypatch.setattr(group_commit, "MAX_BATCH_SIZE", 1)
    monkeypatch.setattr(GroupCommit, "_are_free", lambda *arguments: True)
    assert (
        outcome(await executor_pair.race(executor_pair.compiled, situation, cases), situation, ranked=False)
        not in expected
    )
