"""Batches of an import: how large they are, and that they are written while the next lines are read."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from cli.transfer.batch_writer import MAX_CONCURRENT_BATCHES, BatchWriter
from cli.transfer.formats import Line
from cli.transfer.import_errors import ImportProblems
from cli.transfer.importer import Importer, ImportOptions
from tests.support.builders import Builders
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

    async def start(self, *names: str, parents: str = "") -> None:
        """Start one batch for each name."""
        for name in names:
            await self.writer.start({id_of(name): name}, {id_of(name), *map(id_of, parents)})
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


@pytest.mark.parametrize(
    ("first", "second"),
    [(("a", ""), ("a", "")), (("a", ""), ("b", "a")), (("a", "b"), ("b", "")), (("a", "p"), ("b", "p"))],
    ids=["the same task", "a parent before its subtask", "a subtask before its parent", "subtasks of the same parent"],
)
async def test_batches_with_the_same_tasks_are_written_in_their_order(first: tuple[str, str], second: tuple[str, str]):
    """What is refused does not depend on which of them is faster."""
    writes = Writes()
    await writes.start("x")
    await writes.start(first[0], parents=first[1])
    following = asyncio.create_task(writes.start(second[0], parents=second[1]))
    await asyncio.sleep(0)
    assert set(writes.open) == {"x", first[0]}
    earlier = dict(writes.open)
    for each in earlier.values():
        each.set_result(None)
    async with asyncio.timeout(HANG_SECONDS):
        await following
    assert writes.open[second[0]] not in earlier.values()
    await writes.writer.close(cancel=True)


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


async def test_another_batch_that_fails_is_reported():
    """It is not known how many of its tasks are stored, so a message with the number of stored tasks would be wrong."""
    writes = Writes()
    await writes.start("a", "b")
    writes.open["a"].set_result(1)
    writes.open["b"].set_exception(ConnectionError("lost"))
    with pytest.raises(ConnectionError):
        await writes.writer.close(cancel=False)


@pytest.mark.parametrize(
    ("tasks", "text", "batches"),
    [(2_500, "short", [1_000, 1_000, 500]), (250, "x" * 10_000, [100, 100, 50])],
    ids=["short", "long"],
)
async def test_long_texts_make_smaller_batches(build: Builders, tasks: int, text: str, batches: list[int]):
    """The memory of an import does not depend on the length of the texts."""
    sizes: list[int] = []
    options = ImportOptions(await build.an_actor(), "alice", only_checks=True)
    importer = Importer(build.database, options, ImportProblems(), sizes.append)
    await importer.take(
        Line(number, {"id": str(number), "title": "t", "description": text}) for number in range(1, tasks + 1)
    )
    assert sizes == batches
    assert importer.counts.created == tasks
