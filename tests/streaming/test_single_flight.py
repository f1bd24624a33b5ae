"""Work that several wait for is done once, and by nobody's leave undone."""

import asyncio

import pytest

from streaming.asyncio_helpers import SingleFlight


class Work:
    """Something that takes until it is told to end."""

    def __init__(self) -> None:
        self.begun = self.ended = 0
        self.gate = asyncio.Event()

    async def __call__(self) -> str:
        """Do it."""
        self.begun += 1
        try:
            await self.gate.wait()
        finally:
            self.ended += 1
        return "done"


async def waiting(run: SingleFlight[str], many: int) -> list["asyncio.Task[str]"]:
    """So many that wait."""
    tasks = [asyncio.create_task(run.result()) for _ in range(many)]
    await asyncio.sleep(0)
    return tasks


class TestRun:
    async def test_all_get_what_was_made_once(self):
        """Those who waited, and those who come when it is there."""
        work = Work()
        run = SingleFlight(work())
        tasks = await waiting(run, 3)
        work.gate.set()

        assert await asyncio.gather(*tasks) == ["done"] * 3
        assert (await run.result(), run.done, work.begun) == ("done", True, 1)

    async def test_one_who_leaves_takes_nothing_away(self):
        """Not even the one for whom it was begun."""
        work = Work()
        run = SingleFlight(work())
        first, *others = await waiting(run, 3)
        first.cancel()
        await asyncio.sleep(0)
        work.gate.set()

        assert await asyncio.gather(*others) == ["done"] * 2
        assert not run.stopped

    async def test_when_all_have_left_it_is_stopped(self):
        """And says so, and tells whom it may concern."""
        work, over = Work(), list[SingleFlight[str]]()
        run = SingleFlight(work(), over.append)
        for task in await waiting(run, 2):
            task.cancel()
        await asyncio.sleep(0.01)

        assert (run.stopped, work.ended, over) == (True, 1, [run])

    async def test_a_failure_is_everybodys(self):
        """Each who waits gets it, and when nobody does, nothing is said of it."""

        async def fail() -> str:
            await asyncio.sleep(0)
            raise OSError("no")

        for task in await waiting(SingleFlight(fail()), 2):
            with pytest.raises(OSError, match="no"):
                await task
        SingleFlight(fail())
        await asyncio.sleep(0.01)
