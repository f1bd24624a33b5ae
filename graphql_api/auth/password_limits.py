"""Password hashes within limits: each is counted when it is computed, not while it waits for its turn."""

import asyncio
from dataclasses import dataclass

from asgi.client import Client, throttle_key
from domain.user import Verification
from graphql_api.auth.failed_attempts import Attempt
from graphql_api.auth.hash_queue import Caller
from graphql_api.auth.passwords import Passwords, hashes_of
from graphql_api.auth.rate_limits import RateLimit, RateLimiter


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit for a key; *message* says that it is used up."""

    limit: RateLimit
    key: str
    message: str


class PasswordLimits:
    """Makes what one request needs to hash or check passwords."""

    def __init__(self, passwords: Passwords, throttle: RateLimiter) -> None:
        self.passwords = passwords
        self.throttle = throttle

    def hashing(self, client: Client, account: str, *budgets: Budget) -> "GuardedHashing":
        """To hash a new password of *account*, as far as the *budgets* go."""
        return GuardedHashing(self, _caller(client, account), budgets)

    def checking(self, client: Client, account: str, attempt: Attempt, *budgets: Budget) -> "GuardedChecking":
        """To check a password of *account*, as far as the *budgets* and the failures of *attempt* go."""
        return GuardedChecking(self, _caller(client, account), budgets, attempt)


class GuardedHashing:
    """Hashes passwords of one account."""

    def __init__(self, guard: PasswordLimits, caller: Caller, budgets: tuple[Budget, ...]) -> None:
        self._passwords = guard.passwords
        self._throttle = guard.throttle
        self._caller = caller
        self._budgets = budgets

    async def check(self) -> None:
        """Refuse what has no budget before it waits for a turn.

        Raises:
            RateLimited: a budget is used up.
        """
        await asyncio.gather(
            *(self._throttle.check(each.limit, each.key, message=each.message) for each in self._budgets)
        )

    async def hash(self, password: str) -> str:
        """See `Passwords.hash`."""
        return await self._passwords.hash(password, caller=self._caller, admit=self.spend)

    async def spend(self, hashes: int = 1) -> None:
        """Count so many hashes.

        Raises:
            RateLimited: a budget is used up.
        """
        for each in self._budgets:
            await self._throttle.take(each.limit, each.key, message=each.message, cost=hashes)


class GuardedChecking(GuardedHashing):
    """Checks passwords of one account; an attempt runs from its turn on."""

    def __init__(self, guard: PasswordLimits, caller: Caller, budgets: tuple[Budget, ...], attempt: Attempt) -> None:
        super().__init__(guard, caller, budgets)
        self._attempt = attempt

    async def check(self) -> None:
        """Refuse what has no budget, or failed too often, before it waits for a turn.

        Raises:
            RateLimited: a limit is used up.
        """
        await self._attempt.check()
        await super().check()

    async def verify(self, password: str, stored: str | None) -> Verification:
        """See `Passwords.verify`; what does not match is a failed attempt."""

        async def admit() -> None:
            await self._attempt.begin()
            await self.spend(hashes_of(password))

        try:
            verified = await self._passwords.verify(password, stored, caller=self._caller, admit=admit)
        except BaseException:
            await self._attempt.give_up()
            raise
        await self._attempt.end(failed=not verified.matches)
        return verified


def _caller(client: Client, account: str) -> Caller:
    return Caller(throttle_key(client.address), account, client.disconnected)
