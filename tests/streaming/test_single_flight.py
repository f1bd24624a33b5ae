"""Concurrent callers share one execution, which stops only when all callers are cancelled."""

import asyncio

import pytest

from streaming.asyncio_helpers import SingleFlight


class Work:
    """Work that runs until the test ends it."""

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
    async def test_all_callers_get_one_result(self):
        """Waiting and later ones."""
        work = Work()
        run = SingleFlight(work())
        tasks = await waiting(run, 3)
        work.gate.set()

        assert await asyncio.gather(*tasks) == ["done"] * 3
        assert (await run.result(), run.done, work.begun) == ("done", True, 1)

    async def test_a_cancelled_caller_does_not_stop_the_work(self):
        """Not even the one that started it."""
        work = Work()
        run = SingleFlight(work())
        first, *others = await waiting(run, 3)
        first.cancel()
        await asyncio.sleep(0)
        work.gate.set()

        assert await asyncio.gather(*others) == ["done"] * 2
        assert not run.stopped

    async def test_without_callers_the_work_is_stopped(self):
        """Its owner is informed."""
        work, over = Work(), list[SingleFlight[str]]()
        run = SingleFlight(work(), over.append)
        for task in await waiting(run, 2):
            task.cancel()
        await asyncio.sleep(0.01)

        assert (run.stopped, work.ended, over) == (True, 1, [run])

    async def test_a_failure_reaches_every_caller(self):
        """Without callers it is not reported."""

        async def fail() -> str:
            await asyncio.sleep(0)
            raise OSError("no")

        for task in await waiting(SingleFlight(fail()), 2):
            with pytest.raises(OSError, match="no"):
                await task
        SingleFlight(fail())
        await asyncio.sleep(0.01)
