"""A fair queue for password hashes: round-robin between client addresses, then between the accounts of an address."""

import asyncio
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass, field
from typing import Any, Final

from asgi.client import Disconnected
from domain.errors import DomainError, RateLimited, Unavailable

ACCOUNT_BUSY: Final = "Too many sign-ins of this account are waiting already. Wait for their answers, then try again."
BUSY: Final = "Too many people are signing in at the moment. Please try again in a few seconds."
_MAX_ACCOUNTS: Final = 1_000
"""For how many accounts of one address turns are counted. With more accounts, all counts of the address are reset."""

DISCONNECTED: Final = "The client disconnected before its turn."


@dataclass(frozen=True, slots=True)
class Caller:
    """The address and the account for which a hash is requested.

    Both together identify a caller, so requests for an account from one address do not delay it at another address.
    """

    address: str
    account: str
    disconnected: Disconnected | None = field(default=None, compare=False)


LOCAL: Final = Caller("local", "local")
"""The caller for commands of the operator."""


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """How many callers may wait, and for how many seconds.

    `per_account` applies to one account at one address. It includes the caller that has its turn.
    """

    per_account: int = 5
    per_address: int = 256
    total: int = 512
    seconds: float = 15.0


@dataclass(slots=True, eq=False)
class _HashWaiter:
    caller: Caller
    turn: asyncio.Future[None]


_Accounts = OrderedDict[str, deque[_HashWaiter]]


class HashQueue:
    """Grants up to *slots* turns at a time, at most one for each account of an address.

    The next turn goes to the address that has waited longest since its last turn. Within an address it goes to the
    account with the fewest turns since the queue of the address was last empty. So an account that sends few requests
    does not wait for accounts that send many. When a limit is exceeded, the newest caller in the longest queue is
    refused. So an address or account without waiting callers is always served.
    """

    def __init__(self, slots: int, limits: QueueLimits | None = None) -> None:
        self._free = slots
        self._limits = limits or QueueLimits()
        self._running: set[Caller] = set()
        # Addresses with waiting callers, in the order of their next turns.
        self._addresses: OrderedDict[str, _Accounts] = OrderedDict()
        self._waiting = 0
        # The number of turns of each account, by address, while a caller of the address waits or has a turn.
        self._turns: defaultdict[str, Counter[str]] = defaultdict(Counter)

    @property
    def waiting(self) -> int:
        """The number of callers that wait for a turn."""
        return self._waiting

    async def acquire(self, caller: Caller) -> None:
        """Wait for a turn, which lasts until `release`.

        Raises:
            RateLimited: too many callers of this account are waiting.
            Unavailable: too many callers are waiting, and this caller is in the longest queue; or the caller waited too
                long; or the client disconnected.
        """
        waiter = _HashWaiter(caller, asyncio.get_running_loop().create_future())
        self._add(waiter)
        self._grant()
        self._refuse_excess(caller)
        try:
            await _wait_for_turn(waiter, self._limits.seconds)
        except BaseException:
            self._cancel(waiter)
            raise

    def release(self, caller: Caller) -> None:
        """End a turn and grant the next one."""
        self._running.discard(caller)
        self._free += 1
        self._grant()
        self._forget_turns(caller.address)

    def _add(self, waiter: _HashWaiter) -> None:
        accounts = self._addresses.setdefault(waiter.caller.address, OrderedDict())
        accounts.setdefault(waiter.caller.account, deque()).append(waiter)
        self._waiting += 1

    def _grant(self) -> None:
        while self._free and (waiter := self._next()) is not None:
            self._take_turn(waiter)

    def _next(self) -> _HashWaiter | None:
        """The next caller whose account has no turn at the moment."""
        for address, accounts in self._addresses.items():
            turns = self._turns.get(address, Counter())
            ready = [queue[0] for queue in accounts.values() if queue[0].caller not in self._running]
            if ready:
                return min(ready, key=lambda waiter: turns[waiter.caller.account])
        return None

    def _forget_turns(self, address: str) -> None:
        is_idle = address not in self._addresses and all(caller.address != address for caller in self._running)
        if is_idle or len(self._turns.get(address, ())) > _MAX_ACCOUNTS:
            self._turns.pop(address, None)

    def _take_turn(self, waiter: _HashWaiter) -> None:
        caller = waiter.caller
        self._remove(waiter)
        if (accounts := self._addresses.get(caller.address)) is not None:
            self._addresses.move_to_end(caller.address)
            if caller.account in accounts:
                accounts.move_to_end(caller.account)
        self._free -= 1
        self._running.add(caller)
        self._turns[caller.address][caller.account] += 1
        waiter.turn.set_result(None)

    def _remove(self, waiter: _HashWaiter) -> None:
        accounts = self._addresses[waiter.caller.address]
        queue = accounts[waiter.caller.account]
        queue.remove(waiter)
        self._waiting -= 1
        if not queue:
            del accounts[waiter.caller.account]
        if not accounts:
            del self._addresses[waiter.caller.address]

    def _refuse_excess(self, newest: Caller) -> None:
        accounts = self._addresses.get(newest.address)
        if accounts is None:
            return
        if len(accounts.get(newest.account, ())) + (newest in self._running) > self._limits.per_account:
            self._refuse(accounts[newest.account][-1], RateLimited(ACCOUNT_BUSY, retry_after=1))
        elif sum(map(len, accounts.values())) > self._limits.per_address:
            self._refuse(self._last_of_longest(newest.address, newest), Unavailable(BUSY))
        elif self._waiting > self._limits.total:
            self._refuse(self._last_of_longest(self._longest_address(newest), newest), Unavailable(BUSY))

    def _refuse(self, waiter: _HashWaiter, error: DomainError) -> None:
        self._remove(waiter)
        waiter.turn.set_exception(error)

    def _longest_address(self, newest: Caller) -> str:
        running = [caller.address for caller in self._running]

        def load(address: str) -> tuple[int, bool]:
            waiting = sum(map(len, self._addresses[address].values()))
            return waiting + running.count(address), address == newest.address

        return max(self._addresses, key=load)

    def _last_of_longest(self, address: str, newest: Caller) -> _HashWaiter:
        def load(queue: deque[_HashWaiter]) -> tuple[int, bool]:
            return len(queue) + (queue[0].caller in self._running), queue[0].caller == newest

        return max(self._addresses[address].values(), key=load)[-1]

    def _cancel(self, waiter: _HashWaiter) -> None:
        """Remove the waiter from the queue, or release its turn if it was granted at the same moment."""
        if not waiter.turn.done():
            self._remove(waiter)
            self._forget_turns(waiter.caller.address)
        elif waiter.turn.exception() is None:
            self.release(waiter.caller)


async def _wait_for_turn(waiter: _HashWaiter, seconds: float) -> None:
    disconnected = waiter.caller.disconnected
    watching: list[asyncio.Future[Any]] = []
    if disconnected is not None and not waiter.turn.done():
        watching.append(asyncio.ensure_future(disconnected()))
    try:
        # `asyncio.wait` does not cancel the turn when the caller is cancelled; `await waiter.turn` would.
        await asyncio.wait((waiter.turn, *watching), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        is_disconnected = any(each.done() for each in watching)
    finally:
        for each in watching:
            each.cancel()
    if not waiter.turn.done():
        raise Unavailable(DISCONNECTED if is_disconnected else BUSY)
    waiter.turn.result()
