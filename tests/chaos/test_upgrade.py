"""An upgrade from the previous release without downtime, while users write and listen.

First its processes run alone; then on the tables of this version; then beside a process of this version; then only
processes of this version run.
"""

import signal
from pathlib import Path

import pytest

from domain.actor import OPERATOR
from domain.stream_cursor import StreamCursor
from persistence import migrations
from services.stream import set_cursor_format
from tests.chaos.fault_run import FaultRun
from tests.chaos.outcome import details
from tests.chaos.process import PROJECT, Process
from tests.chaos.retrying_clients import RetryingClients, unexpected_tasks
from tests.chaos.stack import Stack, running
from tests.support.figures import Figures
from tests.support.release import NoHistoryError, extract_release, last_revision

CHANGES = 60
"""Acknowledged changes in each phase."""


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A folder with the code of the previous release."""
    try:
        return extract_release(tmp_path / "release")
    except NoHistoryError as missing:
        pytest.skip(f"The upgrade from the previous release is left out. {missing}")


async def replace(process: Process, code: Path) -> None:
    """Stop a process, and start it with other code."""
    process.signal(signal.SIGTERM)
    assert await process.ended() == 0
    process.code = code
    process.launch()
    await process.ready()


async def has_fingerprints(stack: Stack) -> bool:
    """Whether new cursors have the new format."""
    async with stack.database.log() as log:
        return (await log.head()).has_fingerprints


async def move_clients(stack: Stack, run: FaultRun[Stack]) -> None:
    """Let clients continue at the other process, several times in both directions."""
    for _ in range(3):
        for proxy in stack.proxies:
            proxy.cut()
            await run.acknowledged(10)
            await run.settle("clients move")


def last_cursors(run: FaultRun[Stack]) -> list[StreamCursor]:
    """The last cursor of each listener that received something on its last connection."""
    connections = [follower.recorder.listener.connections[-1] for follower in run.followers]
    return [each.items[-1].cursor for each in connections if each.items]


async def test_no_change_is_lost_and_no_client_loads_its_lists_again(release: Path, tmp_path: Path, figures: Figures):
    """The checker finds no fault, and no request fails that is repeated. Clients get cursors of format 1 until the
    operator chooses format 2.
    """
    async with running(tmp_path, code=release, revision=last_revision(release), SHUTDOWN_SECONDS="5") as stack:
        run = FaultRun(stack)
        await stack.a_user("upgrade")
        token = await stack.account("upgrade").token()
        # Few requests: processes of 0.2 that have many deliver late.
        clients = RetryingClients([each.api for each in stack.processes], token, most_open=1, interval=0.5)
        async with run.running(), clients.running():
            await run.acknowledged(CHANGES)
            await migrations.upgrade(stack.database.engine)
            await run.acknowledged(CHANGES)
            await run.settle("the tables are new")

            await replace(stack.processes[0], PROJECT)
            await run.acknowledged(CHANGES)
            await run.settle("old and new code side by side")
            await move_clients(stack, run)
            assert not await has_fingerprints(stack)
            assert {cursor.fingerprint for cursor in last_cursors(run)} == {None}

            await replace(stack.processes[1], PROJECT)
            await set_cursor_format(stack.database.unit_of_work(OPERATOR), 2)
            await run.acknowledged(CHANGES)
            await run.settle("new code with new cursors")
            assert await has_fingerprints(stack)
            await move_clients(stack, run)
        await run.settle("the end")
        outcome = await run.outcome(5, 0.0)
        unexpected = await unexpected_tasks(clients, stack.database)
    tries = len(clients.attempts)
    figures.note(f"upgrade: {len(clients.requests)} requests took {tries} attempts; {outcome.line()}")

    assert clients.refused == []
    assert unexpected == []

    assert outcome.report.findings == [], "\n".join(details(outcome))
    assert outcome.logged_errors == []
    assert outcome.report.resyncs == 0
    assert outcome.report.acknowledged >= 3 * CHANGES
    cursors = last_cursors(run)
    assert cursors
    assert all(cursor.fingerprint is not None for cursor in cursors)
