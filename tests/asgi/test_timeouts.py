"""Timeouts that share one timer expire as if each had its own timer."""

import asyncio

import pytest

from asgi.timeouts import TimeLimit, TimeoutQueue
from tests.support.virtual_time import VirtualTimeLoop, in_virtual_time

SOON = 0.05


class Listener:
    """Records when it was called."""

    def __init__(self) -> None:
        self.expired_at: list[float] = []

    def on_timeout(self) -> None:
        """Record the time."""
        self.expired_at.append(asyncio.get_running_loop().time())


class TestTimeoutQueue:
    @in_virtual_time
    async def test_each_expires_at_its_own_time(self):
        """A timeout that is added while others wait expires at its own time, and only once."""
        queue, listeners, set_at = TimeoutQueue(SOON), [Listener() for _ in range(3)], list[float]()
        for listener in listeners:
            set_at.append(asyncio.get_running_loop().time())
            queue.add(listener)
            await asyncio.sleep(SOON / 3)
        await asyncio.sleep(SOON * 2)

        for listener, began in zip(listeners, set_at, strict=True):
            (expired_at,) = listener.expired_at
            assert expired_at - began == pytest.approx(SOON)

    @in_virtual_time
    async def test_a_removed_listener_is_not_called(self):
        """Neither a single listener, nor one between two others; removing it twice has no effect."""
        queue, listeners = TimeoutQueue(SOON), [Listener() for _ in range(3)]
        for listener in listeners:
            queue.add(listener)
        queue.remove(listeners[1])
        queue.remove(listeners[1])
        await asyncio.sleep(SOON * 2)
        queue.add(listeners[1])
        queue.remove(listeners[1])
        await asyncio.sleep(SOON * 2)

        assert [len(listener.expired_at) for listener in listeners] == [1, 0, 1]

    def test_another_loop_starts_empty(self):
        """Timeouts of a loop that ended early do not delay those of the next loop."""
        queue, left, listener = TimeoutQueue(SOON), Listener(), Listener()

        async def leave() -> None:
            queue.add(left)

        async def wait() -> None:
            queue.add(listener)
            await asyncio.sleep(SOON * 2)

        asyncio.run(leave())
        asyncio.run(wait())

        assert (len(left.expired_at), len(listener.expired_at)) == (0, 1)


class TestTimeLimit:
    @in_virtual_time
    async def test_a_block_that_takes_too_long_is_ended(self):
        """It ends with TimeoutError, and the task is not cancelled."""
        with pytest.raises(TimeoutError), TimeLimit(TimeoutQueue(SOON)):
            await asyncio.sleep(10)

        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0

    @in_virtual_time
    async def test_a_quick_block_is_not_affected(self):
        """Nothing happens later, and its own errors are raised unchanged."""
        queue = TimeoutQueue(SOON)
        with pytest.raises(LookupError), TimeLimit(queue):
            raise LookupError
        with TimeLimit(queue):
            await asyncio.sleep(0)
        await asyncio.sleep(SOON * 2)

    @in_virtual_time
    async def test_the_cancellation_of_a_caller_is_preserved(self):
        """A cancelled task stays cancelled, even if the timeout expires at the same time."""
        queue, loop = TimeoutQueue(SOON), asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)

        async def work() -> None:
            with TimeLimit(queue):
                try:
                    await asyncio.sleep(10)
                finally:
                    loop.be_late(SOON * 2)

        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
