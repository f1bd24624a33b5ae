"""The queue is fair between addresses and between accounts, and refuses those with the most waiting attempts."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from domain.errors import DomainError, RateLimited, Unavailable
from graphql_api.auth.hash_queue import Caller, HashQueue, QueueLimits

HOME, OFFICE = "192.0.2.1", "198.51.100.0"


class QueuedCallers:
    """The callers of a queue, and the order of their turns; the test ends each turn."""

    def __init__(self, queue: HashQueue) -> None:
        self.queue = queue
        self.turns: list[Caller] = []
        self.refused: list[tuple[Caller, DomainError]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def come(self, *callers: Caller) -> list[asyncio.Task[None]]:
        """Queue up, one after another."""
        tasks = [asyncio.create_task(self._wait(caller)) for caller in callers]
        self._tasks.update(tasks)
        await settle()
        return tasks

    async def serve(self, turns: int) -> list[Caller]:
        """End this number of turns in their order; returns their callers."""
        served: list[Caller] = []
        for _ in range(turns):
            served.append(self.turns.pop(0))
            self.queue.release(served[-1])
            await settle()
        return served

    async def leave(self) -> None:
        """Cancel all waiting callers."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _wait(self, caller: Caller) -> None:
        try:
            await self.queue.acquire(caller)
        except DomainError as error:
            self.refused.append((caller, error))
        else:
            self.turns.append(caller)


@pytest.fixture
async def queued_callers() -> AsyncIterator[Callable[..., QueuedCallers]]:
    """Makes groups of callers, which are cancelled at the end of the test."""
    groups: list[QueuedCallers] = []

    def make(slots: int, **limits: int) -> QueuedCallers:
        groups.append(QueuedCallers(HashQueue(slots, QueueLimits(**limits))))
        return groups[-1]

    yield make
    for queued in groups:
        await queued.leave()


async def settle() -> None:
    """Run all ready callbacks."""
    for _ in range(6):
        await asyncio.sleep(0)


def accounts(address: str, number: int, times: int = 1) -> list[Caller]:
    """So many accounts of an address, each so many times."""
    return [Caller(address, f"account {each}") for each in range(number) for _ in range(times)]


def names(callers: Sequence[Caller]) -> list[str]:
    """Their accounts."""
    return [caller.account for caller in callers]


class TestOrder:
    @pytest.mark.parametrize("slots", [1, 2])
    async def test_an_account_among_others_of_its_address(
        self, slots: int, queued_callers: Callable[..., QueuedCallers]
    ) -> None:
        """Behind eight accounts with five attempts each, it has its turn after one of each."""
        queued = queued_callers(slots)
        await queued.come(*accounts(OFFICE, 8, times=5))
        await queued.come(Caller(OFFICE, "victim"))
        assert "victim" in names(await queued.serve(9 + slots))

    @pytest.mark.parametrize("slots", [1, 2])
    async def test_an_account_with_fewer_attempts_waits_less(
        self, slots: int, queued_callers: Callable[..., QueuedCallers]
    ) -> None:
        """Eight accounts always queue five attempts each; one that signs in rarely is next each time."""
        queued = queued_callers(slots)
        await queued.come(*accounts(OFFICE, 8, times=5))
        await queued.come(*await queued.serve(24))
        for _ in range(2):
            await queued.come(Caller(OFFICE, "victim"))
            served = await queued.serve(slots + 1)
            assert "victim" in names(served)
            await queued.come(*(caller for caller in served if caller.account != "victim"))

    async def test_usage_is_reset_when_the_queue_is_empty(self, queued_callers: Callable[..., QueuedCallers]) -> None:
        """Memory does not grow."""
        queued = queued_callers(1)
        for number in range(20):
            await queued.come(Caller(OFFICE, f"account {number}"), Caller(f"192.0.2.{number}", "ada"))
            (gone,) = await queued.come(Caller(f"192.0.2.{number}", "ada"))
            await queued.serve(1)
            gone.cancel()
            await settle()
            await queued.serve(1)
        assert len(queued.queue._turns) == 0

    async def test_an_address_among_others(self, queued_callers: Callable[..., QueuedCallers]) -> None:
        """However many accounts an address has, another address has every second turn."""
        queued = queued_callers(1)
        await queued.come(*accounts(OFFICE, 50, times=4))
        await queued.come(*accounts(HOME, 3))
        served = await queued.serve(6)
        assert [caller.address for caller in served] == [OFFICE, OFFICE, HOME, OFFICE, HOME, OFFICE]

    async def test_repeated_attempts_give_no_advantage(self, queued_callers: Callable[..., QueuedCallers]) -> None:
        """Attackers who queue again after each turn do not pass waiting callers."""
        queued = queued_callers(1)
        attackers = accounts(OFFICE, 8)
        await queued.come(*attackers, *attackers)
        await queued.come(Caller(OFFICE, "victim"))
        served: list[Caller] = []
        for _ in range(10):
            served += await queued.serve(1)
            await queued.come(served[-1])
        assert "victim" in names(served)

    async def test_an_account_has_one_turn_at_a_time(self, queued_callers: Callable[..., QueuedCallers]) -> None:
        """The second attempt of an account waits for its first; other accounts pass it."""
        queued = queued_callers(2)
        await queued.come(Caller(HOME, "ada"), Caller(HOME, "ada"), Caller(HOME, "bob"))
        assert names(queued.turns) == ["ada", "bob"]
        await queued.serve(1)
        assert names(queued.turns) == ["bob", "ada"]

    async def test_the_same_name_at_another_address_is_another_account(
        self, queued_callers: Callable[..., QueuedCallers]
    ) -> None:
        """Attempts from another address do not delay an account."""
        queued = queued_callers(1, per_account=2)
        await queued.come(*[Caller(OFFICE, "ada")] * 9)
        await queued.come(Caller(HOME, "ada"))
        assert [caller.address for caller in await queued.serve(3)] == [OFFICE, OFFICE, HOME]


class TestLimits:
    async def test_waiting_attempts_of_an_account_are_limited(
        self, queued_callers: Callable[..., QueuedCallers]
    ) -> None:
        """One attempt runs, some wait, and one more is refused with a time to retry."""
        queued = queued_callers(2, per_account=4)
        await queued.come(*[Caller(HOME, "ada")] * 6)
        assert queued.queue.waiting == 3
        assert [type(error) for _, error in queued.refused] == [RateLimited, RateLimited]

    async def test_a_full_address_refuses_its_largest_account(
        self, queued_callers: Callable[..., QueuedCallers]
    ) -> None:
        """An account with nothing waiting takes the place of the newest attempt of one that has several."""
        queued = queued_callers(1, per_address=5)
        await queued.come(*[Caller(OFFICE, "a")] * 2, *[Caller(OFFICE, "b")] * 4)
        await queued.come(Caller(OFFICE, "victim"))
        assert names([caller for caller, _ in queued.refused]) == ["b"]
        assert isinstance(queued.refused[0][1], Unavailable)
        assert "victim" in names(await queued.serve(4))

    async def test_a_full_queue_refuses_the_largest_address(self, queued_callers: Callable[..., QueuedCallers]) -> None:
        """An address with nothing waiting takes the place of an attempt of the address that has the most."""
        queued = queued_callers(1, total=10)
        await queued.come(*accounts(HOME, 2), *accounts(OFFICE, 9))
        await queued.come(Caller("203.0.113.9", "victim"), *accounts(OFFICE, 3))
        assert Counter(caller.address for caller, _ in queued.refused) == {OFFICE: 4}
        assert "victim" in names(await queued.serve(4))

    async def test_among_equals_the_newest_is_refused(self, queued_callers: Callable[..., QueuedCallers]) -> None:
        """If no account has more waiting attempts."""
        queued = queued_callers(1, total=2)
        await queued.come(*(Caller(f"192.0.2.{number}", "ada") for number in range(4)))
        assert [caller.address for caller, _ in queued.refused] == ["192.0.2.3"]

    async def test_many_users_behind_one_address_are_served(self, queued_callers: Callable[..., QueuedCallers]) -> None:
        """Two hundred sign in at the same time."""
        queued = queued_callers(2)
        office = accounts(OFFICE, 200)
        await queued.come(*office)
        assert set(await queued.serve(200)) == set(office)
        assert queued.refused == []

    async def test_waiting_has_a_limit(self, queued_callers: Callable[..., QueuedCallers]) -> None:
        """The caller is refused before its client gives up."""
        queued = queued_callers(1, seconds=0.0)
        await queued.come(Caller(HOME, "ada"))
        (late,) = await queued.come(Caller(HOME, "bob"))
        await late
        assert [(caller.account, type(error)) for caller, error in queued.refused] == [("bob", Unavailable)]
        assert queued.queue.waiting == 0


class TestLeaving:
    async def test_a_cancelled_caller_leaves_the_queue(self, queued_callers: Callable[..., QueuedCallers]) -> None:
        """It is not counted any more, and has no turn."""
        queued = queued_callers(1)
        await queued.come(Caller(HOME, "ada"))
        (gone, _) = await queued.come(Caller(HOME, "bob"), Caller(HOME, "eve"))
        gone.cancel()
        await settle()
        assert queued.queue.waiting == 1
        assert names(await queued.serve(2)) == ["ada", "eve"]

    async def test_a_turn_of_a_cancelled_caller_is_passed_on(
        self, queued_callers: Callable[..., QueuedCallers]
    ) -> None:
        """The cancellation and the turn happen together."""
        queued = queued_callers(1)
        await queued.come(Caller(HOME, "ada"))
        (gone, _) = await queued.come(Caller(HOME, "bob"), Caller(HOME, "eve"))
        queued.queue.release(queued.turns.pop())
        gone.cancel()
        await settle()
        assert names(queued.turns) == ["eve"]

    async def test_a_cancellation_just_before_a_turn_has_no_effect_on_others(
        self, queued_callers: Callable[..., QueuedCallers]
    ) -> None:
        """The next caller has its turn."""
        queued = queued_callers(1)
        await queued.come(Caller(HOME, "ada"))
        (gone, _) = await queued.come(Caller(HOME, "bob"), Caller(HOME, "eve"))
        gone.cancel()
        queued.queue.release(queued.turns.pop())
        await settle()
        assert names(queued.turns) == ["eve"]

    async def test_a_client_that_disconnects_leaves_the_queue(
        self, queued_callers: Callable[..., QueuedCallers]
    ) -> None:
        """Its place is free, and its hash is never computed."""
        disconnected = asyncio.Event()

        async def wait() -> None:
            await disconnected.wait()

        queued = queued_callers(1)
        await queued.come(Caller(HOME, "ada"))
        await queued.come(Caller(HOME, "bob", wait), Caller(HOME, "eve", wait))
        assert queued.queue.waiting == 2
        await queued.serve(1)
        disconnected.set()
        await settle()
        assert [(caller.account, type(error)) for caller, error in queued.refused] == [("eve", Unavailable)]
        assert (queued.queue.waiting, names(queued.turns)) == (0, ["bob"])
