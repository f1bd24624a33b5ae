"""Which master is found if Sentinels do not agree, do not answer, or refuse."""

import asyncio
from typing import Any, cast

import pytest
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError

from streaming.sentinel import MasterNotFound, Sentinels, UnknownService

SILENCE = asyncio.Event()


class FakeSentinel:
    """Answers with a state or an error; with SILENCE it never answers."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked = 0

    async def sentinel_master(self, service: str) -> Any:
        """The prepared answer."""
        self.asked += 1
        if self.answer is SILENCE:
            await asyncio.Event().wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def state(port: int, epoch: int, *, is_down: bool = False) -> dict[str, Any]:
    """What a Sentinel knows about the master."""
    return {"ip": "192.0.2.1", "port": port, "config-epoch": epoch, "is_sdown": is_down}


def sentinels(*answers: Any) -> Sentinels:
    """Sentinels with these answers."""
    return Sentinels([cast("Redis", FakeSentinel(each)) for each in answers], "tasks")


@pytest.mark.parametrize(
    "answers",
    [
        (state(2, 7), state(1, 6), state(1, 6)),
        (state(1, 6), state(2, 7), state(1, 6)),
        (state(1, 6, is_down=True), state(2, 6)),
        (RedisConnectionError("down"), state(2, 1)),
        (SILENCE, state(2, 1)),
        (state(2, 1), ResponseError("No such master with that name")),
    ],
)
async def test_the_newest_answer_counts(answers: tuple[Any, ...]):
    """That with the highest epoch, then one whose master is up; others may fail or be silent."""
    assert await sentinels(*answers).master() == ("192.0.2.1", 2)


@pytest.mark.parametrize(
    ("answers", "error", "message"),
    [
        ((RedisConnectionError("down"), RedisConnectionError("down")), MasterNotFound, "no Sentinel names the master"),
        ((RedisConnectionError("down"), ResponseError("No such master")), UnknownService, "No such master"),
        ((AuthenticationError("invalid password"),), UnknownService, "invalid password"),
    ],
)
async def test_without_an_answer_there_is_an_error(answers: tuple[Any, ...], error: type[Exception], message: str):
    """It says whether they do not answer, or refuse."""
    with pytest.raises(error, match=message):
        await sentinels(*answers).master()


async def test_connections_that_open_at_once_share_an_answer():
    """Each Sentinel is asked once."""
    only = FakeSentinel(state(2, 1))
    found = Sentinels([cast("Redis", only)], "tasks")
    assert set(await asyncio.gather(*(found.master() for _ in range(20)))) == {("192.0.2.1", 2)}
    assert only.asked == 1
