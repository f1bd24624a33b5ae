"""Hashes and checks passwords within rate limits. A hash counts when it is computed, not while it waits."""

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
    """A rate limit for a key. *message* is the message of the error when it is exceeded."""

    limit: RateLimit
    key: str
    message: str


class PasswordLimits:
    """Makes the hashers and verifiers of single requests."""

    def __init__(self, passwords: Passwords, rate_limiter: RateLimiter) -> None:
        self.passwords = passwords
        self.rate_limiter = rate_limiter

    def hasher(self, client: Client, account: str, *budgets: Budget) -> "LimitedHasher":
        """Hashes a new password of *account* within the *budgets*."""
        return LimitedHasher(self, _caller(client, account), budgets)

    def verifier(self, client: Client, account: str, attempt: Attempt, *budgets: Budget) -> "LimitedVerifier":
        """Verifies a password of *account* within the *budgets* and the limits of *attempt*."""
        return LimitedVerifier(self, _caller(client, account), budgets, attempt)


class LimitedHasher:
    """Hashes passwords of one account."""

    def __init__(self, limits: PasswordLimits, caller: Caller, budgets: tuple[Budget, ...]) -> None:
        self._passwords = limits.passwords
        self._rate_limiter = limits.rate_limiter
        self._caller = caller
        self._budgets = budgets

    async def check(self) -> None:
        """Check the budgets before the caller waits for a turn. This counts nothing.

        Raises:
            RateLimited: a budget is used up.
        """
        await asyncio.gather(
            *(self._rate_limiter.check(each.limit, each.key, message=each.message) for each in self._budgets)
        )

    async def hash(self, password: str) -> str:
        """See `Passwords.hash`."""
        return await self._passwords.hash(password, caller=self._caller, admit=self.spend)

    async def spend(self, hashes: int = 1) -> None:
        """Count this number of hashes.

        Raises:
            RateLimited: a budget is used up.
        """
        for each in self._budgets:
            await self._rate_limiter.take(each.limit, each.key, message=each.message, cost=hashes)


class LimitedVerifier(LimitedHasher):
    """Verifies passwords of one account. The attempt begins with the turn in the queue."""

    def __init__(self, limits: PasswordLimits, caller: Caller, budgets: tuple[Budget, ...], attempt: Attempt) -> None:
        super().__init__(limits, caller, budgets)
        self._attempt = attempt

    async def check(self) -> None:
        """Check the failures and the budgets before the caller waits for a turn. This counts nothing.

        Raises:
            RateLimited: there were too many failures, or a budget is used up.
        """
        await self._attempt.check()
        await super().check()

    async def verify(self, password: str, stored: str | None) -> Verification:
        """See `Passwords.verify`. A password that does not match counts as a failed attempt."""

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
