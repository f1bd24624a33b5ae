"""An import continues after the database was unavailable for a short time."""

import pytest

from cli.transfer import retries
from cli.transfer.retries import MAX_ATTEMPTS, while_unavailable
from domain.errors import Unavailable
from streaming.asyncio_helpers import Backoff


class Attempts:
    """Attempts of which the first ones fail."""

    def __init__(self, failing: int, error: Exception) -> None:
        self.number, self._failing, self._error = 0, failing, error

    async def __call__(self) -> str:
        self.number += 1
        if self.number <= self._failing:
            raise self._error
        return "done"


@pytest.mark.parametrize("failing", [0, 1, MAX_ATTEMPTS - 1])
async def test_it_succeeds_when_the_database_is_back(failing: int):
    attempts = Attempts(failing, Unavailable("away"))
    assert await while_unavailable(attempts, Backoff(longest=0)) == "done"
    assert attempts.number == failing + 1


async def test_it_gives_up_after_the_last_attempt():
    attempts = Attempts(MAX_ATTEMPTS, Unavailable("away"))
    with pytest.raises(Unavailable):
        await while_unavailable(attempts, Backoff(longest=0))
    assert attempts.number == MAX_ATTEMPTS


async def test_other_errors_are_not_repeated():
    attempts = Attempts(1, ValueError())
    with pytest.raises(ValueError):
        await while_unavailable(attempts, Backoff(longest=0))
    assert attempts.number == 1


def test_the_pauses_cover_a_failover():
    """Writes work again within 35 seconds after a primary is lost."""
    pauses = [min(0.1 * 2**number, retries.LONGEST_PAUSE) for number in range(MAX_ATTEMPTS - 1)]
    assert 35 <= sum(pauses) <= 60
