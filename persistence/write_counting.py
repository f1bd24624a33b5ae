"""Where a unit of work counts its write before it is stored."""

from typing import Protocol

from domain.actor import Actor


class WriteCounting(Protocol):
    """Counts the writes of users and tokens, and refuses those beyond a limit."""

    def take_now(self, actor: Actor, cost: int) -> bool:
        """Count a write that costs *cost*, if this process knows that it is within the limits; else do nothing."""

    async def take(self, actor: Actor, cost: int) -> None:
        """Count a write, after asking for what the other processes have counted.

        Raises:
            RateLimited: a limit is reached; nothing is counted.
        """

    def give_back(self, actor: Actor, cost: int) -> None:
        """Count a write no more: a rule has refused it."""
