"""Batches of an import: how large they are, and that they are written while the next lines are read."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from cli.transfer.batch_writer import MAX_CONCURRENT_BATCHES, BatchWriter
from cli.transfer.formats import Line
from cli.transfer.import_errors import ImportProblems
from cli.transfer.importer import Importer, ImportOptions
from domain.actor import Actor
from domain.user import Role
from tests.support.waiting import HANG_SECONDS


class Writes:
    """Writes that end when a test says so."""

    def __init__(self) -> None:
        self.open: dict[str, asyncio.Future[Any]] = {}
        self.written: list[tuple[str, Any]] = []
        self.writer: BatchWriter[str] = BatchWriter(self._write, self._note)

    async def _write(self, batch: dict[UUID, str]) -> Any:
        (name,) = batch.values()
        self.open[name] = asyncio.get_running_loop().create_future()
        return await self.open[name]

    def _note(self, batch: dict[UUID, str], result: Any) -> None:
        (name,) = batch.values()
        self.written.append((name, result))

    async def start(self, *names: str) -> None:
        """Start one batch for each name."""
        for name in names:
            await self.writer.start({id_of(name): name})
        await asyncio.sleep(0)


def id_of(name: str) -> UUID:
    """The id of the only task of a batch."""
    return UUID(int=ord(name))


async def test_a_fourth_batch_waits_for_the_first():
    """At most three transactions are open; the reader of the file waits, so memory does not grow."""
    writes = Writes()
    await writes.start("a", "b", "c")
    fourth = asyncio.create_task(writes.start("d"))
    await asyncio.sleep(0)
    assert set(writes.open) == {"a", "b", "c"}
    assert len(writes.open) == MAX_CONCURRENT_BATCHES
    writes.open["a"].set_result(1)
    async with asyncio.timeout(HANG_SECONDS):
        await fourth
    assert set(writes.open) == {"a", "b", "c", "d"}
    assert writes.written == [("a", 1)]
    await writes.writer.close(cancel=True)


async def test_results_come_in_the_order_of_batches():
    """Also if a later batch is written first."""
    writes = Writes()
    await writes.start("a", "b")
    writes.open["b"].set_result(2)
    writes.open["a"].set_result(1)
    async with asyncio.timeout(HANG_SECONDS):
        await writes.writer.finish()
    assert writes.written == [("a", 1), ("b", 2)]


async def test_tasks_that_are_being_written_are_known():
    """A repeated id must wait for its batch."""
    writes = Writes()
    await writes.start("a")
    assert writes.writer.is_writing(id_of("a"))
    assert not writes.writer.is_writing(id_of("b"))
    writes.open["a"].set_result(None)
    await writes.writer.finish()
    assert not writes.writer.is_writing(id_of("a"))


@pytest.mark.parametrize("cancel", [True, False])
async def test_after_an_error_no_batch_continues(cancel: bool):
    """The others are cancelled, or waited for."""
    writes = Writes()
    await writes.start("a", "b")
    writes.open["a"].set_exception(ConnectionError("lost"))
    with pytest.raises(ConnectionError):
        await writes.writer.finish()
    if not cancel:
        writes.open["b"].set_result(2)
    async with asyncio.timeout(HANG_SECONDS):
        await writes.writer.close(cancel=cancel)
    assert writes.open["b"].cancelled() is cancel
    assert not writes.writer.is_writing(id_of("b"))


@pytest.mark.parametrize(
    ("tasks", "text", "batches"),
    [(2_500, "short", [1_000, 1_000, 500]), (250, "x" * 10_000, [100, 100, 50])],
    ids=["short", "long"],
)
async def test_long_texts_make_smaller_batches(tasks: int, text: str, batches: list[int]):
    """The memory of an import does not depend on the length of the texts."""
    sizes: list[int] = []
    options = ImportOptions(Actor(id_of("a"), Role.USER, id_of("s"), 1), "alice", only_checks=True)
    importer = Importer(None, options, ImportProblems(), sizes.append)  # type: ignore[arg-type]  # nothing is written
    await importer.take(
        Line(number, {"id": str(number), "title": "t", "description": text}) for number in range(1, tasks + 1)
    )
    assert sizes == batches
    assert importer.counts.created == tasks
